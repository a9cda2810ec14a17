#include "app/storage.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "objects/folder_store.h"
#include "objects/store_by_scheme.h"
#include "objects/uri.h"
#include "telemetry/log.h"

namespace headrace::app {
namespace {

constexpr int kTopicAttempts = 3;

std::string warehouse_of(const project::Project& project) {
  const std::string path = project.warehouse_path();
  return objects::is_s3(path) ? path : std::filesystem::absolute(path).string();
}

objects::AddressStyle style_of(project::S3Addresses addresses) {
  switch (addresses) {
    case project::S3Addresses::kPath:
      return objects::AddressStyle::kPath;
    case project::S3Addresses::kVirtual:
      return objects::AddressStyle::kVirtual;
    case project::S3Addresses::kAuto:
      break;
  }
  return objects::AddressStyle::kAuto;
}

objects::PayloadSigning signing_of(project::S3PayloadSigning signing) {
  switch (signing) {
    case project::S3PayloadSigning::kSigned:
      return objects::PayloadSigning::kSigned;
    case project::S3PayloadSigning::kUnsigned:
      return objects::PayloadSigning::kUnsigned;
    case project::S3PayloadSigning::kAuto:
      break;
  }
  return objects::PayloadSigning::kAuto;
}

objects::S3Options options_of(const project::S3Settings& settings) {
  objects::S3Options options;
  options.endpoint = settings.endpoint;
  options.region = settings.region;
  options.profile = settings.profile;
  options.access_key_id = settings.access_key_id.reveal();
  options.secret_access_key = settings.secret_access_key.reveal();
  options.session_token = settings.session_token.reveal();
  options.address_style = style_of(settings.addresses);
  options.payload_signing = signing_of(settings.payload_signing);
  return options;
}

std::string ca_file_of(const project::S3Settings& settings) {
  if (!settings.ca_file.empty()) return settings.ca_file;
  const char* const bundle = std::getenv("AWS_CA_BUNDLE");
  return bundle == nullptr ? "" : bundle;
}

}  // namespace

Storage::Storage(const project::Project& project, FileSystem& files, Clock& clock, Random& random,
                 telemetry::Metrics& metrics)
    : files_(files),
      warehouse_(warehouse_of(project)),
      vend_credentials_(project.settings.storage.s3.vend_credentials),
      folders_(objects::make_folder_store(files)) {
  const bool has_settings =
      project.settings_node.find("storage") && project.settings_node.find("storage")->find("s3");
  const bool has_topics = std::any_of(project.topics.begin(), project.topics.end(),
                                      [](const project::TopicDefinition& topic) {
                                        return objects::is_s3(topic.tiered_storage.uri);
                                      });
  if (objects::is_s3(warehouse_) || has_settings || has_topics) {
    connections_ = http::make_connections({.ca_file = ca_file_of(project.settings.storage.s3)});
    s3_ = objects::make_s3_store({*connections_, files, clock, random, metrics},
                                 options_of(project.settings.storage.s3));
    const std::string folder =
        (std::filesystem::absolute(project.storage_path()) / "cache").string();
    cache_ = std::make_unique<objects::DiskCache>(
        files, folder, static_cast<uint64_t>(project.settings.storage.cache_size.count), metrics);
    reader_ = std::make_unique<objects::CachedReader>(*s3_, cache_.get());
    objects::S3Options few_attempts = options_of(project.settings.storage.s3);
    few_attempts.max_attempts = kTopicAttempts;
    topic_s3_ =
        objects::make_s3_store({*connections_, files, clock, random, metrics}, few_attempts);
  }
  all_ = objects::make_store_by_scheme(*folders_, s3_.get());
  topic_objects_ = objects::make_store_by_scheme(*folders_, topic_s3_.get());
}

void Storage::check_warehouse() {
  if (!objects::is_s3(warehouse_)) {
    files_.create_directories(warehouse_);
    return;
  }
  try {
    s3_->check_bucket(warehouse_);
  } catch (const Error& error) {
    throw error.with_context(format("opening the warehouse {}", warehouse_));
  }
  const objects::Credentials credentials = s3_->credentials();
  telemetry::log_info("app", "the warehouse is in S3",
                      {{"warehouse", warehouse_},
                       {"endpoint", s3_->access().endpoint},
                       {"region", s3_->access().region},
                       {"credentials", credentials.source}});
}

JsonObject Storage::properties(const std::string& location) {
  if (!objects::is_s3(location) || s3_ == nullptr) return {};
  const objects::S3Access& access = s3_->access();
  JsonObject properties = {{"client.region", access.region},
                           {"s3.region", access.region},
                           {"s3.path-style-access", access.path_style ? "true" : "false"}};
  if (!access.is_amazon) properties["s3.endpoint"] = access.endpoint;
  return properties;
}

JsonObject Storage::credentials(const std::string& location) {
  if (!objects::is_s3(location) || s3_ == nullptr || !vend_credentials_) return {};
  const objects::Credentials credentials = s3_->credentials();
  JsonObject properties = {{"s3.access-key-id", credentials.access_key_id},
                           {"s3.secret-access-key", credentials.secret_access_key}};
  if (!credentials.session_token.empty()) {
    properties["s3.session-token"] = credentials.session_token;
  }
  if (credentials.expires) {
    properties["s3.session-token-expires-at-ms"] =
        format("{}", millis_since_epoch(*credentials.expires));
  }
  return properties;
}

}  // namespace headrace::app
