#include "jobs/functions.h"

#include <atomic>

#include "base/error.h"
#include "engine/functions.h"
#include "jobs/node_type.h"
#include "jobs/parse/record_parser.h"
#include "lake/types.h"
#include "tables/record_columns.h"

namespace headrace::jobs {
namespace {

using engine::MutableChunk;
using engine::MutableVector;

const std::vector<engine::Column>& lineage_columns() {
  static const std::vector<engine::Column> columns = {{"__topic", "VARCHAR"},
                                                      {"__partition", "INTEGER"},
                                                      {"__offset", "BIGINT"},
                                                      {"__time", "TIMESTAMPTZ"},
                                                      {"__key", "VARCHAR"}};
  return columns;
}

// The record column that a lineage column shows.
tables::RecordColumn record_column_of_lineage(size_t index) {
  constexpr tables::RecordColumn kColumns[] = {tables::kTopicColumn, tables::kPartitionColumn,
                                               tables::kOffsetColumn, tables::kTimeColumn,
                                               tables::kKeyColumn};
  return kColumns[index];
}

// Hands the stream batches of an input batch to the engine's threads, one after another.
class BatchScan : public engine::TableScan {
 public:
  BatchScan(std::shared_ptr<InputBatch> input, const std::string& topic)
      : input_(std::move(input)) {
    const auto found = input_->topics.find(topic);
    if (found == input_->topics.end()) return;
    for (const PartitionSlice& slice : found->second) {
      for (const stream::Batch& batch : slice.batches) pieces_.push_back({&slice, &batch});
    }
  }

  int max_threads() const override { return static_cast<int>(std::max<size_t>(1, pieces_.size())); }

  struct Piece {
    const PartitionSlice* slice = nullptr;
    const stream::Batch* batch = nullptr;
  };
  bool take(Piece& piece) {
    const size_t index = next_.fetch_add(1);
    if (index >= pieces_.size()) return false;
    piece = pieces_[index];
    return true;
  }

  InputBatch& input() { return *input_; }

 private:
  std::shared_ptr<InputBatch> input_;
  std::vector<Piece> pieces_;
  std::atomic<size_t> next_{0};
};

// Goes through the records that a worker takes from a scan.
class RecordCursor {
 public:
  explicit RecordCursor(BatchScan& scan) : scan_(scan) {}

  // The next record, or nullptr at the end; slice() is its slice.
  const stream::RecordView* next() {
    while (next_ == records_.size()) {
      if (!scan_.take(piece_)) return nullptr;
      piece_.batch->records(records_);
      next_ = 0;
      while (next_ < records_.size() && records_[next_].offset < piece_.slice->from) ++next_;
      while (records_.size() > next_ && records_.back().offset >= piece_.slice->to)
        records_.pop_back();
    }
    return &records_[next_++];
  }

  const PartitionSlice& slice() const { return *piece_.slice; }
  // At least `bytes` follow the current record's value in the same buffer.
  bool has_room_after_current(size_t bytes) const {
    return next_ < records_.size() && records_.back().value && records_[next_ - 1].value &&
           records_.back().value->data() + records_.back().value->size() >=
               records_[next_ - 1].value->data() + records_[next_ - 1].value->size() + bytes;
  }

 private:
  BatchScan& scan_;
  BatchScan::Piece piece_;
  std::vector<stream::RecordView> records_;
  size_t next_ = 0;
};

// --- headrace_records
// --------------------------------------------------------------------------------

class RecordsWorker final : public engine::TableScan::Worker {
 public:
  RecordsWorker(BatchScan& scan, const std::vector<size_t>& projection) : cursor_(scan) {
    for (const size_t column : projection) {
      columns_.push_back(column < tables::kRecordColumnCount
                             ? column
                             : record_column_of_lineage(column - tables::kRecordColumnCount));
    }
  }

  size_t produce(MutableChunk& into) override {
    size_t rows = 0;
    while (rows < engine::kVectorSize) {
      const stream::RecordView* record = cursor_.next();
      if (record == nullptr) break;
      tables::RecordWriter writer(cursor_.slice().topic, columns_, into);
      writer.write(rows++, cursor_.slice().partition, *record);
    }
    return rows;
  }

 private:
  RecordCursor cursor_;
  std::vector<size_t> columns_;
};

class RecordsScan final : public BatchScan {
 public:
  using BatchScan::BatchScan;
  std::unique_ptr<Worker> make_worker(const std::vector<size_t>& projection) override {
    return std::make_unique<RecordsWorker>(*this, projection);
  }
};

class RecordsFunction final : public engine::TableFunction {
 public:
  explicit RecordsFunction(BatchBoard& board) : board_(board) {}
  std::string name() const override { return "headrace_records"; }
  std::vector<std::string> parameter_types() const override { return {"VARCHAR", "VARCHAR"}; }

  Binding bind(const std::vector<std::string>& arguments) override {
    std::vector<engine::Column> columns = tables::record_columns();
    columns.insert(columns.end(), lineage_columns().begin(), lineage_columns().end());
    return {columns, std::make_shared<std::vector<std::string>>(arguments), -1};
  }

  std::unique_ptr<engine::TableScan> scan(const std::shared_ptr<void>& state) override {
    const auto& arguments = *std::static_pointer_cast<std::vector<std::string>>(state);
    return std::make_unique<RecordsScan>(board_.get(arguments[0]), arguments[1]);
  }

 private:
  BatchBoard& board_;
};

// --- headrace_parse
// ----------------------------------------------------------------------------------

struct BoundParse {
  std::string job;
  parse::ParseSpec spec;
  std::vector<lake::Type> types;
};

class ParseWorker final : public engine::TableScan::Worker {
 public:
  ParseWorker(BatchScan& scan, std::shared_ptr<BoundParse> bound)
      : scan_(scan),
        cursor_(scan),
        bound_(std::move(bound)),
        parser_(parse::make_record_parser(bound_->spec, bound_->types, scan.input().is_grown())) {
    for (size_t i = 0; i < lineage_columns().size(); ++i) {
      // Columns of the fields come first; they are not the record writer's.
      lineage_.push_back(record_column_of_lineage(i));
    }
    std::vector<size_t> projection(bound_->types.size(), tables::kRecordColumnCount);
    projection.insert(projection.end(), lineage_.begin(), lineage_.end());
    lineage_ = std::move(projection);
  }

  size_t produce(MutableChunk& into) override {
    std::vector<MutableVector> vectors;
    std::vector<MutableVector*> columns;
    for (size_t i = 0; i < bound_->types.size(); ++i) vectors.push_back(into.column(i));
    for (MutableVector& vector : vectors) columns.push_back(&vector);
    parser_->set_columns(columns);
    size_t rows = 0;
    while (rows < engine::kVectorSize) {
      // Nothing of a batch with news is kept.
      if (scan_.input().has_news()) return 0;
      const stream::RecordView* record = cursor_.next();
      if (record == nullptr) break;
      if (!parse(*record, rows)) continue;
      tables::RecordWriter(cursor_.slice().topic, lineage_, into)
          .write(rows, cursor_.slice().partition, *record);
      ++rows;
    }
    return rows;
  }

 private:
  bool parse(const stream::RecordView& record, size_t row) {
    std::string reason;
    if (!record.value) {
      reason = "the record has no value";
    } else if (parser_->parse(padded(*record.value), row, reason)) {
      return true;
    } else if (parser_->found_news()) {
      scan_.input().find_news();
      return false;
    }
    scan_.input().reject({bound_->spec.node, std::move(reason), cursor_.slice().topic,
                          cursor_.slice().partition, record.offset, ""});
    return false;
  }

  // The parser reads past the end of a value: the last ones of a buffer are copied.
  std::string_view padded(std::string_view value) {
    if (cursor_.has_room_after_current(parse::kPaddingBytes)) return value;
    scratch_.assign(value);
    scratch_.append(parse::kPaddingBytes, '\0');
    return std::string_view(scratch_).substr(0, value.size());
  }

  BatchScan& scan_;
  RecordCursor cursor_;
  std::shared_ptr<BoundParse> bound_;
  std::unique_ptr<parse::RecordParser> parser_;
  std::vector<size_t> lineage_;
  std::string scratch_;
};

class ParseScan final : public BatchScan {
 public:
  ParseScan(std::shared_ptr<InputBatch> input, std::shared_ptr<BoundParse> bound)
      : BatchScan(std::move(input), bound->spec.topic), bound_(std::move(bound)) {}
  std::unique_ptr<Worker> make_worker(const std::vector<size_t>&) override {
    return std::make_unique<ParseWorker>(*this, bound_);
  }

 private:
  std::shared_ptr<BoundParse> bound_;
};

class ParseFunction final : public engine::TableFunction {
 public:
  ParseFunction(engine::Database& database, BatchBoard& board)
      : database_(database), board_(board) {}
  std::string name() const override { return "headrace_parse"; }
  std::vector<std::string> parameter_types() const override { return {"VARCHAR", "VARCHAR"}; }
  // Whether a record is good must not depend on which of its columns somebody asks for.
  bool supports_projection() const override { return false; }

  Binding bind(const std::vector<std::string>& arguments) override {
    auto bound = std::make_shared<BoundParse>();
    bound->job = arguments[0];
    bound->spec =
        parse::parse_spec_from_json(parse_json(arguments[1], "the specification of a parse node"));
    std::vector<engine::Column> columns;
    for (const parse::ParseField& field : bound->spec.fields) {
      bound->types.push_back(lake::type_from_duckdb(
          field.is_inferred ? field.type : database_.canonical_type(field.type)));
      const std::string complaint = parse::complain_about_type(bound->types.back());
      if (!complaint.empty()) {
        fail(ErrorKind::kInvalid, "nodes.{}.fields.{}: {}", bound->spec.node, field.name,
             complaint);
      }
      columns.push_back({field.name, lake::to_duckdb(bound->types.back())});
    }
    columns.insert(columns.end(), lineage_columns().begin(), lineage_columns().end());
    return {columns, std::move(bound), -1};
  }

  std::unique_ptr<engine::TableScan> scan(const std::shared_ptr<void>& state) override {
    auto bound = std::static_pointer_cast<BoundParse>(state);
    return std::make_unique<ParseScan>(board_.get(bound->job), bound);
  }

 private:
  engine::Database& database_;
  BatchBoard& board_;
};

// --- headrace_accept
// ---------------------------------------------------------------------------------

class AcceptFunction final : public engine::ScalarFunction {
 public:
  explicit AcceptFunction(BatchBoard& board) : board_(board) {}
  std::string name() const override { return "headrace_accept"; }
  std::vector<std::string> parameter_types() const override {
    return {"VARCHAR", "VARCHAR", "VARCHAR", "INTEGER", "BIGINT", "VARCHAR", "VARCHAR"};
  }
  std::string return_type() const override { return "BOOLEAN"; }
  bool is_volatile() const override { return true; }

  void run(const engine::Chunk& arguments, MutableVector& result) override {
    const engine::VectorView reasons = arguments.column(5);
    bool* accepted = result.data<bool>();
    for (size_t row = 0; row < arguments.rows(); ++row) {
      accepted[row] = reasons.is_null(row);
      if (!accepted[row]) reject(arguments, row, reasons.string(row));
    }
  }

 private:
  void reject(const engine::Chunk& arguments, size_t row, std::string_view reason) {
    Rejection rejection;
    rejection.node = arguments.column(1).string(row);
    rejection.reason = reason;
    if (!arguments.column(2).is_null(row)) {
      rejection.topic = arguments.column(2).string(row);
      rejection.partition = arguments.column(3).data<int32_t>()[row];
      rejection.offset = arguments.column(4).data<int64_t>()[row];
    } else if (!arguments.column(6).is_null(row)) {
      rejection.row = arguments.column(6).string(row);
    }
    board_.get(std::string(arguments.column(0).string(row)))->reject(std::move(rejection));
  }

  BatchBoard& board_;
};

}  // namespace

void register_functions(engine::Database& database, BatchBoard& board) {
  database.register_function(std::make_shared<RecordsFunction>(board));
  database.register_function(std::make_shared<ParseFunction>(database, board));
  database.register_function(std::make_shared<AcceptFunction>(board));
}

}  // namespace headrace::jobs
