#include "jobs/parse/record_look.h"

#include "jobs/parse/json_value.h"

namespace headrace::jobs::parse {
namespace {

class RecordLook {
 public:
  void take(std::string_view record) {
    text_.assign(record);
    text_.append(kPaddingBytes, '\0');
    try {
      FoundType seen = look(record.size());
      found_.merge(std::move(seen));
    } catch (const simdjson::simdjson_error&) {
      // Whoever parses it says why it is broken.
    }
  }

  FoundType found() { return std::move(found_); }

 private:
  FoundType look(size_t size) {
    FoundType seen;
    auto document = parser_.iterate(text_.data(), size, text_.size()).value();
    if (document.type() != simdjson::ondemand::json_type::object) return seen;
    seen.is_object = true;
    for (auto member : document.get_object()) {
      const std::string key(member.unescaped_key().value());
      seen.member(key).merge(look_at(member.value()));
    }
    const bool is_whole = document.current_location().error() == simdjson::OUT_OF_BOUNDS;
    return is_whole ? seen : FoundType{};
  }

  std::string text_;
  FoundType found_;
  simdjson::ondemand::parser parser_;
};

}  // namespace

FoundType look_at_records(const InputBatch& batch, const std::string& topic) {
  RecordLook look;
  const auto slices = batch.topics.find(topic);
  if (slices == batch.topics.end()) return {};
  std::vector<stream::RecordView> records;
  for (const PartitionSlice& slice : slices->second) {
    for (const stream::Batch& stored : slice.batches) {
      stored.records(records);
      for (const stream::RecordView& record : records) {
        const bool is_wanted = record.offset >= slice.from && record.offset < slice.to;
        if (is_wanted && record.value) look.take(*record.value);
      }
    }
  }
  return look.found();
}

}  // namespace headrace::jobs::parse
