#pragma once

// The targets of one job: where its rows go, and how they become files.
//
// The job's thread inserts into hot rows and seals; the commit of what is sealed may run on another
// thread meanwhile. All tables of a commit move on in one transaction of the catalog, with the
// positions that they include. When the targets of a job do not stand at the same positions (one
// was added, or another engine rolled one back), those that lag work alone until they have caught
// up.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/database.h"
#include "jobs/compiler.h"
#include "lake/data_writer.h"
#include "tables/live_tables.h"
#include "tables/positions.h"

namespace headrace::jobs {

struct WriterTarget {
  CompiledTarget compiled;  // the dead-letter table has no node
  tables::TableState state;
  std::optional<tables::Positions> committed;
  bool is_active = true;
};

// What was sealed together and is committed together.
struct SealedWork {
  std::vector<size_t> targets;
  std::vector<tables::SealedGeneration> generations;
  tables::Positions positions;
};

class JobWriter {
 public:
  struct Collaborators {
    engine::Database& database;
    lake::Catalog& catalog;
    tables::LiveTables& tables;
    FileSystem& files;
    Random& random;
  };

  // Opens all targets and the job's dead-letter table. `raw_start`: the offsets from which a raw
  // target without positions takes its topic.
  JobWriter(const Collaborators& collaborators, const CompiledJob& job,
            const std::map<std::string, std::vector<stream::Offset>>& raw_start);
  ~JobWriter();

  const std::vector<WriterTarget>& targets() const { return targets_; }
  const lake::TableIdentifier& dead_letters() const { return dead_letters_; }

  // INSERT statements of the active targets for the current batch.
  std::vector<std::pair<lake::TableIdentifier, std::string>> insert_statements() const;

  // The same targets, compiled anew.
  void use(const CompiledJob& job);
  void activate(const std::vector<bool>& active);

  // The work sealed before must be committed by now.
  SealedWork seal(const tables::Positions& positions);
  // Writes files and commits. unavailable: try again with the same work. conflict: another writer
  // moved a table.
  void commit(const SealedWork& work);

 private:
  std::vector<lake::DataFile> write_files(const WriterTarget& target,
                                          const tables::SealedGeneration& sealed);

  Collaborators collaborators_;
  std::string job_;
  lake::TableIdentifier dead_letters_;
  std::vector<WriterTarget> targets_;
  std::unique_ptr<engine::Connection> commit_connection_;
  // Files of a commit whose outcome was a passing error: used again rather than written twice.
  std::vector<std::vector<lake::DataFile>> written_;
};

// Columns of a job's dead-letter table.
const std::vector<engine::Column>& dead_letter_columns();
lake::TableIdentifier dead_letter_table(const std::string& job);

}  // namespace headrace::jobs
