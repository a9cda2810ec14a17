#include "objects/credentials.h"

#include <map>

#include <gtest/gtest.h>

#include "base/error.h"
#include "objects/aws_profiles.h"
#include "objects/testing/s3_server.h"
#include "objects/token_service.h"

namespace headrace::objects {
namespace {

// Answers by method and URL; whatever else is asked for cannot be reached.
class ScriptedConnections final : public http::Connections {
 public:
  std::map<std::string, http::Response> answers;
  std::vector<http::Call> calls;
  std::vector<std::string> bodies;

  http::Response perform(const http::Call& call, std::stop_token) override {
    calls.push_back(call);
    bodies.emplace_back(call.body);
    const auto found = answers.find(call.method + " " + call.url);
    if (found != answers.end()) return found->second;
    fail(ErrorKind::kUnavailable, "cannot reach {}", call.url);
  }
  Hedged perform_hedged(const http::Call& call, std::chrono::milliseconds,
                        std::stop_token cancel) override {
    return {perform(call, std::move(cancel)), false};
  }
};

constexpr const char* kAssumed =
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
    "<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role/secret</SecretAccessKey>"
    "<SessionToken>role-token</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration>"
    "</Credentials></AssumeRoleResult></AssumeRoleResponse>";
constexpr const char* kServiceJson =
    R"({"AccessKeyId":"ASIASERVICE","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T06:00:00Z"})";

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialChain chain() { return {standard_sources(context()), clock_}; }
  CredentialContext context() {
    return {[this](const std::string& name) -> std::optional<std::string> {
              const auto found = variables_.find(name);
              if (found == variables_.end()) return std::nullopt;
              return found->second;
            },
            *files_,
            clock_,
            connections_,
            profile_,
            "eu-west-1"};
  }
  void write(const std::string& name, const std::string& text) {
    files_->create_directories(folder_.path() + "/.aws");
    files_->write_atomically(folder_.path() + "/.aws/" + name, text);
    variables_["HOME"] = folder_.path();
  }
  static std::string message_of(CredentialChain& chain) {
    try {
      chain.get();
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  }

  TestFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  ManualClock clock_{timestamp_from_iso8601("2026-01-01T00:00:00Z")};
  ScriptedConnections connections_;
  std::map<std::string, std::string> variables_;
  std::string profile_;
};

TEST_F(CredentialsTest, OfTheEnvironmentComeFirst) {
  write("credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = f\n");
  variables_["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  CredentialChain half = chain();
  EXPECT_NE(message_of(half).find("AWS_SECRET_ACCESS_KEY is not"), std::string::npos);
  variables_["AWS_SECRET_ACCESS_KEY"] = "secret";
  variables_["AWS_SESSION_TOKEN"] = "token";
  const Credentials found = chain().get();
  EXPECT_EQ(found.access_key_id, "AKIAENV");
  EXPECT_EQ(found.session_token, "token");
  EXPECT_FALSE(found.expires.has_value());
}

TEST_F(CredentialsTest, OfProfiles) {
  write("credentials",
        "# a comment\n[default]\naws_access_key_id=FILE\naws_secret_access_key = f/+= ; not this\n"
        "[dev]\naws_access_key_id = DEV\naws_secret_access_key = d\naws_session_token = st\n");
  write("config",
        "[default]\nregion = eu-central-1\n[profile dev]\nregion=us-west-2\ns3 =\n  max = 1\n");
  EXPECT_EQ(chain().get().access_key_id, "FILE");
  EXPECT_EQ(chain().get().secret_access_key, "f/+=");
  variables_["AWS_PROFILE"] = "dev";
  EXPECT_EQ(chain().get().access_key_id, "DEV");
  EXPECT_EQ(chain().get().session_token, "st");
  EXPECT_EQ(load_profiles(*files_, context().environment).profiles.at("dev").at("region"),
            "us-west-2");
  profile_ = "nobody";
  CredentialChain unknown = chain();
  EXPECT_NE(message_of(unknown).find("there is no profile nobody in " + folder_.path()),
            std::string::npos);
  write("config", "[default\n");
  CredentialChain broken = chain();
  EXPECT_NE(message_of(broken).find("config:1: the heading has no \"]\""), std::string::npos);
}

TEST_F(CredentialsTest, OfARoleOfAProfile) {
  write("credentials", "[base]\naws_access_key_id = BASE\naws_secret_access_key = b\n");
  write(
      "config",
      "[default]\nrole_arn = arn:aws:iam::1:role/etl\nsource_profile = base\nexternal_id = x y\n");
  connections_.answers["POST https://sts.eu-west-1.amazonaws.com/"] =
      http::text_response(200, kAssumed);
  const Credentials found = chain().get();
  EXPECT_EQ(found.access_key_id, "ASIAROLE");
  EXPECT_EQ(found.expires, timestamp_from_iso8601("2026-01-01T01:00:00Z"));
  EXPECT_NE(connections_.bodies.at(0).find("ExternalId=x%20y"), std::string::npos);
  EXPECT_TRUE(connections_.calls.at(0)
                  .headers.get_or("Authorization", "")
                  .starts_with("AWS4-HMAC-SHA256 Credential=BASE/20260101/eu-west-1/sts/"));
  connections_.answers["POST https://sts.eu-west-1.amazonaws.com/"] =
      http::text_response(403,
                          "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></"
                          "Error></ErrorResponse>");
  CredentialChain refused = chain();
  EXPECT_NE(
      message_of(refused).find("AccessDenied when asked for the role arn:aws:iam::1:role/etl: no"),
      std::string::npos)
      << message_of(refused);
}

TEST_F(CredentialsTest, OfAWebIdentity) {
  write("token", "jwt\n");
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_.path() + "/.aws/token";
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/pod";
  connections_.answers["POST https://sts.eu-west-1.amazonaws.com/"] =
      http::text_response(200, kAssumed);
  EXPECT_EQ(chain().get().session_token, "role-token");
  EXPECT_NE(connections_.bodies.at(0).find("WebIdentityToken=jwt"), std::string::npos);
  EXPECT_FALSE(connections_.calls.at(0).headers.find("Authorization").has_value());
}

TEST_F(CredentialsTest, OfAContainer) {
  variables_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/1";
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "pass";
  connections_.answers["GET http://169.254.170.2/v2/credentials/1"] =
      http::text_response(200, kServiceJson);
  EXPECT_EQ(chain().get().access_key_id, "ASIASERVICE");
  EXPECT_EQ(connections_.calls.at(0).headers.get_or("Authorization", ""), "pass");
}

TEST_F(CredentialsTest, OfAMachine) {
  const std::string base = "http://169.254.169.254/latest/";
  connections_.answers["PUT " + base + "api/token"] = http::text_response(200, "metadata-token");
  connections_.answers["GET " + base + "meta-data/iam/security-credentials/"] =
      http::text_response(200, "etl-role");
  connections_.answers["GET " + base + "meta-data/iam/security-credentials/etl-role"] =
      http::text_response(200, kServiceJson);
  EXPECT_EQ(chain().get().source, "the role etl-role of this machine");
  EXPECT_EQ(connections_.calls.at(2).headers.get_or("X-aws-ec2-metadata-token", ""),
            "metadata-token");
  variables_["AWS_EC2_METADATA_DISABLED"] = "true";
  CredentialChain none = chain();
  EXPECT_NE(message_of(none).find("there are no credentials for S3: nothing in the environment"),
            std::string::npos);
}

TEST_F(CredentialsTest, AreRenewedBeforeTheyExpire) {
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1/c";
  connections_.answers["GET http://127.0.0.1/c"] = http::text_response(200, kServiceJson);
  CredentialChain chain = this->chain();
  chain.get();
  clock_.advance(std::chrono::hours(5));
  chain.get();
  EXPECT_EQ(connections_.calls.size(), 1U);
  clock_.advance(std::chrono::minutes(56));
  // The service is away for a moment: the old ones still count.
  connections_.answers.clear();
  EXPECT_EQ(chain.get().access_key_id, "ASIASERVICE");
  EXPECT_EQ(connections_.calls.size(), 2U);
  connections_.answers["GET http://127.0.0.1/c"] = http::text_response(
      200,
      R"({"AccessKeyId":"NEXT","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T12:00:00Z"})");
  EXPECT_EQ(chain.get().access_key_id, "NEXT");
  chain.refuse(chain.get());
  EXPECT_EQ(chain.get().access_key_id, "NEXT");
  EXPECT_EQ(connections_.calls.size(), 4U);
  clock_.advance(std::chrono::hours(7));
  connections_.answers.clear();
  EXPECT_NE(message_of(chain).find("cannot reach"), std::string::npos);
}

}  // namespace
}  // namespace headrace::objects
