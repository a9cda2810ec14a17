#pragma once

// Objects in S3 and in what speaks its protocol. Facts: "Amazon S3 API reference".
//
// Each request is signed (sigv4.h), tried again after passing faults (connection, 429, 5xx, torn
// and slow answers) with growing pauses, and, when it only reads and an answer is slow to come,
// sent twice. Errors name bucket, key and source of the credentials.

#include <memory>
#include <string>

#include "base/random.h"
#include "http/connections.h"
#include "objects/credentials.h"
#include "objects/object_store.h"
#include "telemetry/metrics.h"

namespace headrace::objects {

enum class AddressStyle {
  kAuto,     // path with an endpoint of one's own, else virtual host
  kPath,     // https://endpoint/bucket/key
  kVirtual,  // https://bucket.endpoint/key
};

// Whether the body of a request is part of its signature; without, TLS alone protects it.
enum class PayloadSigning {
  kAuto,  // signed over http://, unsigned over https://
  kSigned,
  kUnsigned,
};

struct S3Options {
  std::string endpoint =
      {};  // https://host[:port]; empty: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, Amazon's
  std::string region = {};   // empty: AWS_REGION, AWS_DEFAULT_REGION, the profile's, us-east-1
  std::string profile = {};  // of ~/.aws; empty: AWS_PROFILE, "default"
  AddressStyle address_style = AddressStyle::kAuto;
  PayloadSigning payload_signing = PayloadSigning::kAuto;
  // Given ones; empty: the standard chain of credentials.h.
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};
  uint64_t part_bytes = 16 * 1024 * 1024;  // of uploads; larger files have parts side by side
  int part_threads = 4;
  int max_attempts = 8;
  milliseconds first_pause{100};  // between attempts; doubles, up to:
  milliseconds longest_pause{10'000};
  // A read is sent again when there is no answer after this; at least, as it also waits four times
  // as long as reads usually take.
  milliseconds hedge_after{500};
  int hedge_percent = 10;  // of the reads, at most
};

struct S3Collaborators {
  http::Connections& connections;
  FileSystem& files;
  Clock& clock;
  Random& random;
  telemetry::Metrics& metrics;
  Environment environment = process_environment();
};

// What the options and the environment come to: for clients that are told how to get there.
struct S3Access {
  std::string endpoint;
  std::string region;
  bool path_style = false;
  bool is_amazon = false;
};

class S3Store : public ObjectStore {
 public:
  virtual const S3Access& access() const = 0;
  virtual Credentials credentials() = 0;
  // Throws what is wrong, with the next step: the bucket is not there, credentials are missing,
  // wrong, or do not suffice, the region is another.
  virtual void check_bucket(const std::string& uri) = 0;
};

// No I/O. Error invalid for an endpoint that is none.
std::unique_ptr<S3Store> make_s3_store(const S3Collaborators& collaborators,
                                       const S3Options& options);

}  // namespace headrace::objects
