#include "config/tree_builder.h"

#include "base/format.h"
#include "config/scalar.h"

namespace headrace::config {

TreeBuilder::TreeBuilder(const std::string& file, Problems& problems,
                         const Environment& environment, const YamlLimits& limits)
    : tree_(std::make_shared<Tree>()),
      problems_(problems),
      environment_(environment),
      limits_(limits) {
  tree_->file = file;
}

void TreeBuilder::null_value(Place place, size_t anchor) {
  if (wants_key()) return take_key(place, "");
  remember(anchor, add(NodeKind::kNull, place));
}

void TreeBuilder::scalar(Place place, size_t anchor, const std::string& text, bool quoted) {
  if (wants_key()) return take_key(place, text);
  const bool null = !quoted && is_null_text(text);
  TreeNode* node = add(null ? NodeKind::kNull : NodeKind::kScalar, place);
  if (!null) set_text(*node, text, quoted);
  remember(anchor, node);
}

void TreeBuilder::alias(Place place, size_t anchor) {
  if (wants_key()) stop(place, "an alias cannot be a key", "write the key itself");
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) stop(place, "an alias stands inside its own anchor");
  TreeNode* node = add(NodeKind::kNull, place);
  const TreeNode& source = *found->second;
  count_repeated(source, place);
  node->kind = source.kind;
  node->text = source.text;
  node->written = source.written;
  node->quoted = source.quoted;
  for (const TreeNode* child : source.children) {
    node->children.push_back(copy(*child, node, {child->line, child->column}));
  }
}

void TreeBuilder::begin(NodeKind list_or_map, Place place, size_t anchor) {
  if (wants_key()) stop(place, "a key must be plain text, not a list or a map");
  if (open_.size() >= limits_.max_depth) {
    stop(place, format("nested deeper than {} levels", limits_.max_depth));
  }
  TreeNode* node = add(list_or_map, place);
  open_.push_back(Open{node, anchor, false, "", {}, {}, {}});
}

void TreeBuilder::end() {
  Open& open = open_.back();
  merge(open);
  remember(open.anchor, open.node);
  open_.pop_back();
}

void TreeBuilder::stop(Place place, std::string message, std::string suggestion) {
  report(place, std::move(message), std::move(suggestion));
  throw StopParsing();
}

Node TreeBuilder::finish() {
  if (root_ == nullptr) root_ = make(NodeKind::kNull, {1, 1});
  return Node(tree_, root_);
}

Node TreeBuilder::broken() {
  auto tree = std::make_shared<Tree>();
  tree->file = tree_->file;
  tree->nodes.emplace_back().kind = NodeKind::kBroken;
  return Node(tree, &tree->nodes.front());
}

void TreeBuilder::report(Place place, std::string message, std::string suggestion) {
  problems_.add(Problem{Severity::kError, tree_->file, "", place.line, place.column,
                        std::move(message), std::move(suggestion)});
}

bool TreeBuilder::wants_key() const {
  return !open_.empty() && open_.back().node->kind == NodeKind::kMap && !open_.back().has_key;
}

void TreeBuilder::take_key(Place place, const std::string& text) {
  Open& open = open_.back();
  open.has_key = true;
  open.key = text;
  open.key_place = place;
}

TreeNode* TreeBuilder::add(NodeKind kind, Place place) {
  TreeNode* node = make(kind, place);
  if (open_.empty()) {
    root_ = node;
    return node;
  }
  Open& open = open_.back();
  node->parent = open.node;
  if (open.node->kind == NodeKind::kMap) return attach_to_map(open, node);
  node->index = open.node->children.size();
  open.node->children.push_back(node);
  return node;
}

// A second value of one key is reported and read, but not kept.
TreeNode* TreeBuilder::attach_to_map(Open& open, TreeNode* node) {
  open.has_key = false;
  node->key = std::move(open.key);
  node->key_line = open.key_place.line;
  node->key_column = open.key_place.column;
  if (node->key == "<<") {
    open.merged.push_back(node);
    return node;
  }
  const auto [first, fresh] = open.by_key.emplace(node->key, node);
  if (fresh) {
    open.node->children.push_back(node);
  } else {
    Problem problem{
        Severity::kError,
        tree_->file,
        Node(tree_, node).path(),
        node->key_line,
        node->key_column,
        format("the key stands twice in one map, first in line {}", first->second->key_line),
        "remove one of them"};
    problems_.add(std::move(problem));
  }
  return node;
}

TreeNode* TreeBuilder::make(NodeKind kind, Place place) {
  if (tree_->nodes.size() >= limits_.max_nodes) {
    stop(place, format("more than {} values in one file, counting what aliases repeat",
                       limits_.max_nodes));
  }
  TreeNode& node = tree_->nodes.emplace_back();
  node.kind = kind;
  node.line = place.line;
  node.column = place.column;
  return &node;
}

TreeNode* TreeBuilder::copy(const TreeNode& from, TreeNode* parent, Place place) {
  TreeNode* node = make(from.kind, place);
  count_repeated(from, place);
  std::vector<TreeNode*> children;
  for (const TreeNode* child : from.children) {
    children.push_back(copy(*child, node, {child->line, child->column}));
  }
  *node = from;
  node->children = std::move(children);
  node->parent = parent;
  return node;
}

void TreeBuilder::count_repeated(const TreeNode& from, Place place) {
  repeated_bytes_ += from.text.size() + from.written.size() + from.key.size();
  if (repeated_bytes_ > limits_.max_bytes) {
    stop(place, format("aliases repeat more than {} bytes", limits_.max_bytes));
  }
}

void TreeBuilder::set_text(TreeNode& node, const std::string& text, bool quoted) {
  node.quoted = quoted;
  node.text = text;
  if (text.find("${") == std::string::npos) return;
  Interpolated resolved = interpolate(text, environment_);
  const std::string path = Node(tree_, &node).path();
  const auto complain = [&](std::string message, std::string suggestion) {
    problems_.add(Problem{Severity::kError, tree_->file, path, node.line, node.column,
                          std::move(message), std::move(suggestion)});
    node.kind = NodeKind::kBroken;
  };
  for (const std::string& name : resolved.unset) {
    complain(format("the environment variable {} is not set", name),
             format("set it, or write ${{{}:-otherwise}} to give a default", name));
  }
  for (const std::string& piece : resolved.malformed) {
    complain(format("'{}' is not a variable", piece.substr(0, 60)),
             "write ${NAME}, or $${ for a literal ${");
  }
  node.written = text;
  node.text = std::move(resolved.text);
}

void TreeBuilder::remember(size_t anchor, TreeNode* node) {
  if (anchor != 0) anchors_[anchor] = node;
}

void TreeBuilder::merge(Open& open) {
  for (const TreeNode* merged : open.merged) {
    if (merged->kind == NodeKind::kMap) {
      merge_map(open, *merged);
    } else if (merged->kind == NodeKind::kList) {
      for (const TreeNode* element : merged->children) merge_map(open, *element);
    } else {
      report({merged->line, merged->column}, "<< merges a map into this one",
             "write <<: *name of an anchored map");
    }
  }
}

void TreeBuilder::merge_map(Open& open, const TreeNode& from) {
  for (const TreeNode* child : from.children) {
    if (child->key.empty() || open.by_key.contains(child->key)) continue;
    TreeNode* node = copy(*child, open.node, {child->line, child->column});
    open.by_key.emplace(node->key, node);
    open.node->children.push_back(node);
  }
}

}  // namespace headrace::config
