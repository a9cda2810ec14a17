#include <atomic>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/once.h"
#include "base/random.h"
#include "base/testing/faulty_file_system.h"
#include "base/text.h"
#include "base/varint.h"

namespace headrace {
namespace {

template <class Action>
ErrorKind kind_of_failure(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

TEST(Error, has_codes_for_every_kind) {
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::kInternal); ++kind) {
    EXPECT_EQ(codes_of(static_cast<ErrorKind>(kind)).kind, static_cast<ErrorKind>(kind));
  }
  EXPECT_EQ(Error(ErrorKind::kInvalid, "b").with_context("a").message(), "a: b");
}

TEST(Text, loses_its_case_and_its_blanks) {
  EXPECT_EQ(to_lower("SELECT \xC3\x84 [1]"), "select \xC3\x84 [1]");
  EXPECT_TRUE(equal_ignoring_case("Content-Type", "content-TYPE"));
  EXPECT_FALSE(equal_ignoring_case("a", "ab"));
  EXPECT_FALSE(equal_ignoring_case("[", "{"));
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
}

TEST(Once, runs_until_it_has_succeeded_and_then_no_more) {
  Once once;
  int runs = 0;
  EXPECT_THROW(once.run([&] {
    ++runs;
    throw Error(ErrorKind::kUnavailable, "not yet");
  }),
               Error);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { once.run([&] { ++runs; }); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(runs, 2);
}

TEST(varint, goes_there_and_back) {
  for (const int64_t value : {0L, 1L, -1L, 63L, 64L, -64L, -65L, 300L, INT64_MAX, INT64_MIN}) {
    std::string bytes;
    append_zigzag(bytes, value);
    EXPECT_EQ(static_cast<int>(bytes.size()), varint_size(zigzag(value)));
    std::string_view rest = bytes;
    int64_t back = 0;
    ASSERT_TRUE(take_zigzag(rest, back));
    EXPECT_EQ(back, value);
    EXPECT_TRUE(rest.empty());
    for (size_t size = 0; size < bytes.size(); ++size) {
      std::string_view cut = std::string_view(bytes).substr(0, size);
      EXPECT_FALSE(take_zigzag(cut, back));
    }
  }
  std::string_view endless = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80";
  uint64_t value = 0;
  EXPECT_FALSE(take_varint(endless, value));
}

TEST(Json, tells_where_a_mistake_stands_and_which_member_is_missing) {
  EXPECT_EQ(integer_member(parse_json(R"({"a": 1})", "it"), "a"), 1);
  try {
    parse_json(R"({"a": })", "the settings");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInvalid);
    EXPECT_NE(error.message().find("the settings"), std::string::npos);
  }
  EXPECT_EQ(kind_of_failure([] { parse_json("1 2", "it"); }), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of_failure([] { string_member(parse_json(R"({"a":1})", "it"), "a"); }),
            ErrorKind::kInvalid);
  EXPECT_EQ(to_pretty_text(parse_json(R"({"a":[1,{}],"b":[]})", "it")),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}\n");
}

TEST(Clock, prints_iso_8601) {
  EXPECT_EQ(to_iso8601(Timestamp(microseconds(1442018818771001))), "2015-09-12T00:46:58.771001Z");
  EXPECT_EQ(to_iso8601(Timestamp(microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

TEST(ManualClock, wakes_sleepers_when_it_is_late_enough) {
  ManualClock clock{Timestamp(microseconds(0))};
  std::atomic<bool> awake = false;
  std::jthread sleeper([&] {
    EXPECT_TRUE(clock.sleep_for(milliseconds(5), {}));
    awake = true;
  });
  while (!awake) clock.advance(milliseconds(1));
  EXPECT_GE(clock.now(), Timestamp(milliseconds(5)));
  sleeper.join();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(clock.sleep_for(milliseconds(5), stop.get_token()));
}

TEST(Random, repeats_a_run_from_one_seed) {
  SeededRandom a(7);
  SeededRandom b(7);
  EXPECT_EQ(make_uuid(a), make_uuid(b));
  const std::string uuid = make_uuid(a);
  EXPECT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(uuid, make_uuid(a));
}

class Files : public testing::Test {
 protected:
  Files() {
    SeededRandom random;
    directory_ =
        (std::filesystem::temp_directory_path() / ("headrace-base-" + make_uuid(random))).string();
    files_->create_directories(directory_);
  }
  ~Files() override { files_->remove_all(directory_); }
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  std::string directory_;
};

TEST_F(Files, append_read_map_and_truncate) {
  const auto file = files_->open_append(path("a"));
  file->append("one");
  const std::string_view pieces[] = {"two", "", "three"};
  file->append_all(pieces);
  file->sync_data();
  EXPECT_EQ(file->size_bytes(), 11u);
  EXPECT_EQ(files_->read(path("a")), "onetwothree");
  const auto mapped = files_->map(path("a"));
  files_->remove(path("a"));
  EXPECT_EQ(mapped->bytes(), "onetwothree");
  file->truncate(3);
  file->append("!");
  EXPECT_EQ(file->size_bytes(), 4u);
}

TEST_F(Files, read_in_pieces_up_to_the_end) {
  files_->write_new(path("a"), "0123456789");
  char buffer[16];
  EXPECT_EQ(files_->open_read(path("a"))->read_at(8, buffer, sizeof buffer), 2u);
  EXPECT_EQ(std::string_view(buffer, 2), "89");
  EXPECT_TRUE(files_->map(path("a"))->bytes().size() == 10);
}

TEST_F(Files, write_whole_files_and_list_them) {
  files_->write_new(path("b"), "1");
  EXPECT_EQ(kind_of_failure([&] { files_->write_new(path("b"), "2"); }), ErrorKind::kAlreadyExists);
  files_->write_atomically(path("b"), "22");
  files_->write_atomically(path("a"), "");
  const auto entries = files_->list(directory_);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_EQ(entries[1].size_bytes, 2u);
  files_->rename(path("b"), path("c"));
  EXPECT_FALSE(files_->exists(path("b")));
  files_->remove(path("not there"));
  EXPECT_EQ(kind_of_failure([&] { files_->read(path("not there")); }), ErrorKind::kNotFound);
  EXPECT_EQ(kind_of_failure([&] { files_->list(path("not there")); }), ErrorKind::kNotFound);
}

TEST_F(Files, fail_once_where_they_are_told_to) {
  FaultyFileSystem faulty(*files_, 2);
  const auto file = faulty.open_append(path("a"));
  EXPECT_EQ(kind_of_failure([&] { file->append("12345678"); }), ErrorKind::kUnavailable);
  EXPECT_EQ(files_->read(path("a")), "1234");  // as a full disk leaves it
  file->append("x");
  EXPECT_TRUE(faulty.failed());
  FaultyFileSystem broken(*files_, 1, true);
  EXPECT_EQ(kind_of_failure([&] { broken.read(path("a")); }), ErrorKind::kUnavailable);
  EXPECT_EQ(kind_of_failure([&] { broken.read(path("a")); }), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace headrace
