#pragma once

// Records of a byte stream: reads large blocks and cuts them with a Splitter. Nothing is copied but
// the piece of a record that a block ends in.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sources/files/byte_stream.h"
#include "sources/files/record_reader.h"
#include "sources/files/splitter.h"

namespace headrace::sources {

struct StreamReaderOptions {
  std::string path;  // for messages
  size_t max_record_bytes = 0;
  // Called with the position of each record left out for its size. Without it such a record is an
  // error.
  std::function<void(uint64_t position)> skip_oversize;
};

class StreamReader final : public RecordReader {
 public:
  StreamReader(std::unique_ptr<ByteStream> stream, std::unique_ptr<Splitter> splitter,
               StreamReaderOptions options);
  bool read(std::vector<FileRecord>& into) override;

 private:
  // Reads more behind what is not cut yet. False at the end of the stream.
  bool fill();
  // Cuts what the buffer holds.
  void cut(bool at_end, std::vector<FileRecord>& into);
  void refuse_oversize(uint64_t position);
  std::string_view rest() const { return {buffer_.data() + begin_, end_ - begin_}; }

  std::unique_ptr<ByteStream> stream_;
  std::unique_ptr<Splitter> splitter_;
  const StreamReaderOptions options_;
  std::vector<char> buffer_;
  size_t begin_ = 0;               // of the record that is being looked for
  size_t end_ = 0;                 // of what was read
  uint64_t begin_position_ = 0;    // of begin_ in the stream
  bool giving_up_record_ = false;  // the rest of an oversize record is dropped
  bool at_end_ = false;
};

}  // namespace headrace::sources
