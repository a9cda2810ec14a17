#include "http/message.h"

#include <gmock/gmock.h>

#include "http/access.h"
#include "http/response_head.h"
#include "http/target.h"

namespace headrace::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(Target, IsSplitAndDecoded) {
  const Target target = parse_target("/v1//topics/a%20b%2Fc/?key=%2Fuser+name&flag&x=1=2&&#frag");
  EXPECT_THAT(target.segments, ElementsAre("v1", "topics", "a b/c"));
  EXPECT_THAT(target.query,
              ElementsAre(Pair("key", "/user name"), Pair("flag", ""), Pair("x", "1=2")));
}

TEST(Target, RefusesWhatIsMalformed) {
  for (const char* bad :
       {"", "v1", "http://x/", "/%", "/%4", "/%4g", "/%00", "/a/../b", "/%2e%2e", "/.", "/?a=%f"}) {
    EXPECT_THROW(parse_target(bad), Error) << bad;
  }
}

TEST(Target, EncodingIsDecoded) {
  const std::string text = "a b/ü+%&=?";
  EXPECT_THAT(parse_target("/" + percent_encode(text)).segments, ElementsAre(text));
  EXPECT_THAT(parse_target("/?q=" + percent_encode(text)).query, ElementsAre(Pair("q", text)));
}

TEST(Headers, IgnoreCase) {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.set("content-type", "b");
  EXPECT_EQ(headers.find("CONTENT-TYPE"), "b");
  EXPECT_EQ(headers.size(), 1U);
  EXPECT_EQ(headers.find("Content"), std::nullopt);
}

TEST(Request, ReadsParameters) {
  const Request request = make_request("GET", "/?n=5&b=false&bad=5x&big=99999999999999999999");
  EXPECT_EQ(request.integer_parameter("n", 1, 0, 10), 5);
  EXPECT_EQ(request.integer_parameter("none", 1, 0, 10), 1);
  EXPECT_FALSE(request.boolean_parameter("b", true));
  EXPECT_THROW(request.integer_parameter("n", 1, 6, 10), Error);
  EXPECT_THROW(request.integer_parameter("bad", 1, 0, 10), Error);
  EXPECT_THROW(request.integer_parameter("big", 1, 0, 10), Error);
  EXPECT_THROW(request.boolean_parameter("n", true), Error);
}

TEST(ErrorResponse, ComesBackAsTheSameError) {
  const Response response = error_response(Error(ErrorKind::kTimeout, "too slow"), 17);
  EXPECT_EQ(response.status, 504);
  try {
    throw_if_error(response);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kTimeout);
    EXPECT_EQ(error.message(), "too slow (line 17)");
  }
  EXPECT_NO_THROW(throw_if_error(text_response(200, "")));
  EXPECT_THROW(throw_if_error(text_response(502, "<html>")), Error);
}

TEST(ResponseHead, AValueMakesNoFieldOfItsOwn) {
  Response response = text_response(200, "");
  response.headers.set("X-Name", "a\r\nSet-Cookie: b");
  response.headers.set("Content-Length", "99");
  const std::string head = response_head(response, {Framing::kLength, 0}, true);
  EXPECT_THAT(head, HasSubstr("X-Name: a  Set-Cookie: b\r\n"));
  EXPECT_THAT(head, HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(head, ::testing::Not(HasSubstr("99")));
}

TEST(Access, ComparesTokens) {
  EXPECT_TRUE(constant_time_equal("abc", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", "abd"));
  EXPECT_FALSE(constant_time_equal("abcabc", "abc"));
  EXPECT_FALSE(constant_time_equal("", "abc"));
  EXPECT_FALSE(constant_time_equal("abc", ""));
}

TEST(Access, KnowsLoopback) {
  for (const char* host : {"localhost", "LOCALHOST:8642", "127.0.0.1", "127.1.2.3:80", "[::1]:9"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host : {"", "10.0.0.1", "127.example.com", "localhost.evil.com", "127.0.0.1.a",
                           "[::2]", "evil.com:127"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

}  // namespace
}  // namespace headrace::http
