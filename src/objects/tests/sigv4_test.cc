// The vectors are those of AWS's "Signature Version 4 test suite" and of the examples in "Amazon S3
// API reference", Authenticating Requests.

#include "objects/sigv4.h"

#include <gtest/gtest.h>

#include "objects/token_service.h"
#include "objects/uri.h"

namespace headrace::objects {
namespace {

constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

SigningKey suite_key() {
  return {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service"};
}

SignedRequest suite_request(const std::string& method) {
  SignedRequest request;
  request.method = method;
  request.path = "/";
  request.headers.set("Host", "example.amazonaws.com");
  request.headers.set("X-Amz-Date", "20150830T123600Z");
  request.payload_hash = kEmpty;
  return request;
}

std::string suite_signature(const SignedRequest& request) {
  const std::string text =
      authorization(request, suite_key(), timestamp_from_iso8601("2015-08-30T12:36:00Z"));
  return text.substr(text.find("Signature=") + 10);
}

TEST(SigV4, SignsTheRequestsOfAwsTestSuite) {
  EXPECT_EQ(suite_signature(suite_request("GET")),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
  EXPECT_EQ(suite_signature(suite_request("POST")),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
  SignedRequest query = suite_request("GET");
  query.query = {{"Param2", "value2"}, {"Param1", "value1"}};
  EXPECT_EQ(suite_signature(query),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

// Of the S3 reference: bucket examplebucket, 24 May 2013.
struct S3Example {
  std::string method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string payload_hash;
  std::string signature;
};

TEST(SigV4, SignsTheExamplesOfTheS3Reference) {
  const std::vector<S3Example> examples = {
      {"GET",
       "/test.txt",
       {},
       {{"Range", "bytes=0-9"}},
       kEmpty,
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT",
       "/test%24file.text",
       {},
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET",
       "/",
       {{"lifecycle", ""}},
       {},
       kEmpty,
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"GET",
       "/",
       {{"max-keys", "2"}, {"prefix", "J"}},
       {},
       kEmpty,
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}};
  for (const S3Example& example : examples) {
    SignedRequest request;
    request.method = example.method;
    request.path = example.path;
    request.query = example.query;
    for (const auto& [name, value] : example.headers) request.headers.add(name, value);
    request.headers.set("Host", "examplebucket.s3.amazonaws.com");
    request.headers.set("x-amz-date", "20130524T000000Z");
    request.headers.set("x-amz-content-sha256", example.payload_hash);
    request.payload_hash = example.payload_hash;
    const std::string text = authorization(
        request,
        {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3"},
        timestamp_from_iso8601("2013-05-24T00:00:00Z"));
    EXPECT_EQ(text.substr(text.find("Signature=") + 10), example.signature) << example.path;
  }
}

TEST(SigV4, HashesAndEncodes) {
  EXPECT_EQ(sha256_hex("Welcome to Amazon S3."),
            "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
  EXPECT_EQ(md5_base64("hello"), "XUFAKrxLKna5cZ2REBfFkg==");
  EXPECT_EQ(percent_encoded("a b/ü+~", true), "a%20b/%C3%BC%2B~");
  EXPECT_EQ(percent_encoded("a/b", false), "a%2Fb");
  EXPECT_EQ(canonical_query({{"b", "x y"}, {"a", ""}}), "a=&b=x%20y");
}

TEST(Uri, KnowsPlacesByOneSpelling) {
  EXPECT_EQ(normalized("s3a://lake/a/b/"), "s3://lake/a/b");
  EXPECT_EQ(normalized("s3://lake"), "s3://lake");
  EXPECT_EQ(normalized("/w/../x/"), "file:///x");
  EXPECT_EQ(normalized("file:/w/x"), "file:///w/x");
  EXPECT_TRUE(is_within("s3://lake/a/b", "s3://lake/a"));
  EXPECT_FALSE(is_within("s3://lake/ab", "s3://lake/a"));
  for (const char* wrong : {"s3://", "s3:///x", "s3://a b/x", "s3://lake/a/../b", "gs://lake/x",
                            "file://host/x", "relative"}) {
    EXPECT_THROW(normalized(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace headrace::objects
