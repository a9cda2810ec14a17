#include "arrow/ipc_stream.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <unistd.h>

#include "base/error.h"
#include "base/format.h"

namespace headrace::arrow {
namespace {

// Columns made by hand; everything lives as long as the object.
class Table {
 public:
  ArrowSchema* type(const char* format, const char* name, std::vector<ArrowSchema*> children = {}) {
    auto& list = schema_lists_.emplace_back(std::move(children));
    ArrowSchema schema{};
    schema.format = format;
    schema.name = name;
    schema.flags = kFlagNullable;
    schema.n_children = static_cast<int64_t>(list.size());
    schema.children = list.data();
    return &schemas_.emplace_back(schema);
  }
  ArrowArray* array(int64_t length, int64_t nulls, std::vector<const void*> buffers,
                    std::vector<ArrowArray*> children = {}) {
    auto& list = array_lists_.emplace_back(std::move(children));
    auto& kept = buffers_.emplace_back(std::move(buffers));
    ArrowArray array{};
    array.length = length;
    array.null_count = nulls;
    array.n_buffers = static_cast<int64_t>(kept.size());
    array.buffers = kept.data();
    array.n_children = static_cast<int64_t>(list.size());
    array.children = list.data();
    return &arrays_.emplace_back(array);
  }

 private:
  std::deque<ArrowSchema> schemas_;
  std::deque<ArrowArray> arrays_;
  std::deque<std::vector<ArrowSchema*>> schema_lists_;
  std::deque<std::vector<ArrowArray*>> array_lists_;
  std::deque<std::vector<const void*>> buffers_;
};

// What pyarrow reads in a stream, as "name: type = values" lines.
std::string read_by_pyarrow(const std::string& bytes) {
  const auto path =
      std::filesystem::temp_directory_path() / format("headrace-arrow-test-{}.arrows", ::getpid());
  std::ofstream(path, std::ios::binary) << bytes;
  const char* chosen = std::getenv("HEADRACE_PYTHON");
  const std::string python =
      chosen != nullptr ? chosen : std::string(HEADRACE_DEPS_DIR) + "/python/bin/python";
  const std::string command = format("{} {}/src/arrow/tests/read_stream.py {} 2>&1", python,
                                     HEADRACE_SOURCE_DIR, path.string());
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  for (size_t size; (size = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    text.append(buffer, size);
  }
  EXPECT_EQ(::pclose(pipe), 0) << text;
  std::filesystem::remove(path);
  return text;
}

TEST(IpcStream, IsReadByPyarrow) {
  Table table;
  static const uint8_t kSecondIsNull[] = {0b101};
  static const uint8_t kBits[] = {0b100};
  static const int32_t kInts[] = {1, 0, -3};
  static const int64_t kLongs[] = {0, 1'000'000, -1};
  static const int64_t kTimes[] = {0, 0, 86'399'999'999};
  static const double kDoubles[] = {0.5, 0, -2.25};
  static const int64_t kDecimals[] = {12345, 0, 0, 0, -1, -1};
  static const int32_t kOffsets[] = {0, 2, 2, 6};
  static const int64_t kOffsets64[] = {0, 2, 2, 6};
  static const int32_t kListOffsets[] = {0, 2, 2, 3};
  static const int32_t kMonthsAndDays[] = {1, 2, 3, 0, 0, 0, 0, 0, 4, 5, 6, 0};
  const auto nullable = [&](const void* data) { return table.array(3, -1, {kSecondIsNull, data}); };
  ArrowSchema* schema = table.type(
      "+s", "",
      {table.type("b", "flag"), table.type("i", "number"), table.type("g", "real"),
       table.type("d:10,2", "money"), table.type("tdD", "day"), table.type("ttu", "clock"),
       table.type("tsu:", "local"), table.type("tsu:UTC", "instant"), table.type("tin", "span"),
       table.type("u", "text"), table.type("U", "long_text"), table.type("z", "bytes"),
       table.type("w:2", "pair"), table.type("+l", "list", {table.type("i", "item")}),
       table.type("+s", "point", {table.type("i", "x"), table.type("u", "y")}),
       table.type(
           "+m", "map",
           {table.type("+s", "entries", {table.type("i", "key"), table.type("i", "value")})}),
       table.type("n", "nothing")});
  schema->children[15]->children[0]->flags = 0;
  schema->children[15]->children[0]->children[0]->flags = 0;
  ArrowArray* batch = table.array(
      3, 0, {nullptr},
      {nullable(kBits), nullable(kInts), nullable(kDoubles), nullable(kDecimals), nullable(kInts),
       nullable(kTimes), nullable(kLongs), nullable(kLongs), nullable(kMonthsAndDays),
       table.array(3, 1, {kSecondIsNull, kOffsets, "abcdef"}),
       table.array(3, 0, {nullptr, kOffsets64, "abcdef"}),
       table.array(3, 0, {nullptr, kOffsets, "abcdef"}), table.array(3, 0, {nullptr, "abcdef"}),
       table.array(3, 1, {kSecondIsNull, kListOffsets}, {table.array(3, 0, {nullptr, kInts})}),
       table.array(
           3, 1, {kSecondIsNull},
           {table.array(3, 0, {nullptr, kInts}), table.array(3, 0, {nullptr, kOffsets, "abcdef"})}),
       table.array(3, 0, {nullptr, kListOffsets},
                   {table.array(3, 0, {nullptr},
                                {table.array(3, 0, {nullptr, kInts}),
                                 table.array(3, 0, {nullptr, kInts})})}),
       table.array(3, 3, {})});
  const IpcStream stream(*schema);
  std::string bytes = stream.schema_message() + stream.batch_message(*batch);
  bytes += IpcStream::end_of_stream();
  EXPECT_EQ(read_by_pyarrow(bytes), R"(flag: bool = [False, None, True]
number: int32 = [1, None, -3]
real: double = [0.5, None, -2.25]
money: decimal128(10, 2) = [Decimal('123.45'), None, Decimal('-0.01')]
day: date32[day] = [datetime.date(1970, 1, 2), None, datetime.date(1969, 12, 29)]
clock: time64[us] = [datetime.time(0, 0), None, datetime.time(23, 59, 59, 999999)]
local: timestamp[us] = ['1970-01-01 00:00:00', None, '1969-12-31 23:59:59.999999']
instant: timestamp[us, tz=UTC] = ['1970-01-01 00:00:00+00:00', None, '1969-12-31 23:59:59.999999+00:00']
span: month_day_nano_interval = [MonthDayNano(months=1, days=2, nanoseconds=3), None, MonthDayNano(months=4, days=5, nanoseconds=6)]
text: string = ['ab', None, 'cdef']
long_text: large_string = ['ab', '', 'cdef']
bytes: binary = [b'ab', b'', b'cdef']
pair: fixed_size_binary[2] = [b'ab', b'cd', b'ef']
list: list<item: int32> = [[1, 0], None, [-3]]
point: struct<x: int32, y: string> = [{'x': 1, 'y': 'ab'}, None, {'x': -3, 'y': 'cdef'}]
map: map<int32, int32> = [[(1, 1), (0, 0)], [], [(-3, -3)]]
nothing: null = [None, None, None]
)");
}

TEST(IpcStream, MayBeWithoutRowsOrBatches) {
  Table table;
  const IpcStream stream(*table.type("+s", "", {table.type("u", "text")}));
  std::string none = stream.schema_message();
  std::string empty =
      none + stream.batch_message(
                 *table.array(0, 0, {nullptr}, {table.array(0, 0, {nullptr, nullptr, nullptr})}));
  none += IpcStream::end_of_stream();
  empty += IpcStream::end_of_stream();
  EXPECT_EQ(read_by_pyarrow(none), "text: string = []\n");
  EXPECT_EQ(read_by_pyarrow(empty), "text: string = []\n");
}

TEST(IpcStream, RefusesWhatItCannotWrite) {
  Table table;
  for (const char* format : {"+us:0,1", "vu", "d:40,2,256", "xyz", "tsq:", "w:x", ""}) {
    ArrowSchema* schema = table.type("+s", "", {table.type(format, "odd")});
    EXPECT_THROW(IpcStream{*schema}, Error) << format;
  }
  EXPECT_THROW(IpcStream{*table.type("i", "")}, Error);
  const IpcStream stream(*table.type("+s", "", {table.type("i", "number")}));
  EXPECT_THROW(stream.batch_message(*table.array(0, 0, {nullptr})), Error);
  ArrowArray* slice = table.array(1, 0, {nullptr, "abcd"});
  slice->offset = 1;
  EXPECT_THROW(stream.batch_message(*table.array(1, 0, {nullptr}, {slice})), Error);
}

}  // namespace
}  // namespace headrace::arrow
