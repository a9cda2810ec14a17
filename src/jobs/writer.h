#pragma once

// The targets of one job: where its rows go, and how they become files.
//
// The job's thread inserts into hot rows and seals; the commit of what is sealed may run on another
// thread meanwhile. All tables of a commit move on in one transaction of the catalog, with the
// positions that they include. When the targets of a job do not stand at the same positions (one
// was added, or another engine rolled one back), those that lag work alone until they have caught
// up. A target without rows in a commit stands by: standing_by.h.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "engine/database.h"
#include "jobs/compiler.h"
#include "lake/data_writer.h"
#include "tables/live_tables.h"
#include "tables/positions.h"

namespace headrace::jobs {

// Somebody else changed the rows of a table that the job changes by their position. The job begins
// again from what is committed now.
class TableMoved : public Error {
 public:
  explicit TableMoved(const std::string& message) : Error(ErrorKind::kConflict, message) {}
};

struct WriterTarget {
  CompiledTarget compiled;  // the dead-letter table has no node
  tables::TableState state;
  lake::TablePtr written_as;  // with the columns that the job gives, whatever others add meanwhile
  std::optional<tables::Positions> committed;  // as its own snapshot says
  // The same, or further on: records up to there have brought it no rows (standing_by.h).
  std::optional<tables::Positions> reached;
  bool is_active = true;
};

// What was sealed together and is committed together.
struct SealedWork {
  std::vector<size_t> targets;
  std::vector<size_t> standing_by;  // targets that get nothing
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
    std::optional<store::Lease> lease = {};  // under which it commits
  };

  // Opens all targets and the job's dead-letter table. `raw_start`: the offsets from which a raw
  // target without positions takes its topic.
  JobWriter(const Collaborators& collaborators, const CompiledJob& job,
            const std::map<std::string, std::vector<stream::Offset>>& raw_start);
  ~JobWriter();

  const std::vector<WriterTarget>& targets() const { return targets_; }
  const lake::TableIdentifier& dead_letters() const { return dead_letters_; }

  // Puts the current batch into the hot tables of the active targets, in a transaction of
  // `connection`; `changes` was made for upserts(). Returns by how many the hot rows of each grew.
  std::vector<std::pair<lake::TableIdentifier, int64_t>> insert(
      engine::Connection& connection, tables::LiveTables::ChangeBatch& changes) const;
  // The active targets with a primary key.
  std::vector<lake::TableIdentifier> upserts() const;
  // Throws TableMoved when one of them was changed by somebody else.
  void check_not_moved() const;

  // The same targets, compiled anew: the hot rows of those whose columns are others now change with
  // them. What was sealed must be committed by now.
  void use(const CompiledJob& job);
  void activate(const std::vector<bool>& active);

  // The work sealed before must be committed by now.
  SealedWork seal(const tables::Positions& positions);
  // Writes files and commits. unavailable: try again with the same work. conflict: another writer
  // moved a table. TableMoved as above, or when the commit took place and could not be taken up.
  void commit(const SealedWork& work);

 private:
  void open_targets(const CompiledJob& job,
                    const std::map<std::string, std::vector<stream::Offset>>& raw_start);
  void close() noexcept;
  void find_reached();
  bool gets_something(const WriterTarget& target) const;
  bool has_news_of_found_fields(const WriterTarget& target) const;
  // What one target's part of a commit is made of.
  struct Written {
    std::vector<lake::DataFile> data;
    lake::DeleteFiles deletes;
  };
  Written write_files(const WriterTarget& target, const tables::SealedGeneration& sealed);
  lake::TableChange change_of(const WriterTarget& target, const SealedWork& work,
                              const Written& written, const tables::SealedGeneration& sealed) const;
  std::string standing_by_text(const SealedWork& work) const;
  std::vector<lake::TablePtr> commit_changes(const SealedWork& work,
                                             const std::vector<lake::TableChange>& changes);

  Collaborators collaborators_;
  std::string job_;
  lake::TableIdentifier dead_letters_;
  std::vector<WriterTarget> targets_;
  int64_t last_commit_ = 0;  // counted through all lives of the job
  std::unique_ptr<engine::Connection> commit_connection_;
  std::map<std::string, std::string> found_;  // properties of the tables that hold found fields
  // Files of a commit whose outcome was a passing error: used again rather than written twice.
  std::vector<Written> written_;
};

// Columns of a job's dead-letter table.
const std::vector<engine::Column>& dead_letter_columns();
lake::TableIdentifier dead_letter_table(const std::string& job);

}  // namespace headrace::jobs
