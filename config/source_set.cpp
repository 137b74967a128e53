#include "config/source_set.hpp"

#include "config/keepalived/include.hpp"
#include "config/text.hpp"
#include "core/bytes.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sys/stat.h>

namespace holdfast::config {
namespace {

constexpr std::uint32_t kMagic = 0x48464333;  // "HFC3": format version 3
constexpr std::size_t kBytesPerSegment = 17;
constexpr std::size_t kBytesPerPart = 5;
constexpr std::size_t kMaxFiles = 4096;
constexpr std::size_t kBytesPerAccount = 24;  // at least

void put_string(core::ByteWriter& out, std::string_view text) {
  out.u32(static_cast<std::uint32_t>(text.size()));
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  out.put({bytes, text.size()});
}

std::string take_string(core::ByteReader& in) {
  const std::span<const std::uint8_t> bytes = in.take(in.u32());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void put_accounts(core::ByteWriter& out, const std::vector<Account>& accounts) {
  out.u32(static_cast<std::uint32_t>(accounts.size()));
  for (const Account& account : accounts) {
    put_string(out, account.user);
    put_string(out, account.group);
    put_string(out, account.problem);
    out.u32(account.uid);
    out.u32(account.gid);
    out.u32(static_cast<std::uint32_t>(account.groups.size()));
    for (const std::uint32_t group : account.groups) out.u32(group);
  }
}

// Stops where the bytes end; the caller looks at in.ok().
std::vector<Account> take_accounts(core::ByteReader& in) {
  std::vector<Account> accounts;
  const std::uint32_t count = in.u32();
  if (count > in.remaining() / kBytesPerAccount) return accounts;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Account& account = accounts.emplace_back();
    account.user = take_string(in);
    account.group = take_string(in);
    account.problem = take_string(in);
    account.uid = in.u32();
    account.gid = in.u32();
    const std::uint32_t groups = in.u32();
    for (std::uint32_t j = 0; j < groups && in.ok(); ++j) account.groups.push_back(in.u32());
  }
  return accounts;
}

// Walks from a segment's start to `offset`.
void advance(std::string_view text, std::uint32_t& line, std::uint32_t& column) {
  const std::size_t last_newline = text.rfind('\n');
  if (last_newline == std::string_view::npos) {
    column += static_cast<std::uint32_t>(text.size());
    return;
  }
  line += static_cast<std::uint32_t>(count_of(text, '\n'));
  column = static_cast<std::uint32_t>(text.size() - last_newline);
}

std::size_t segment_at(const std::vector<Segment>& segments, std::size_t offset) {
  const auto after =
      std::upper_bound(segments.begin(), segments.end(), offset,
                       [](std::size_t at, const Segment& s) { return at < s.offset; });
  return after == segments.begin() ? 0 : static_cast<std::size_t>(after - segments.begin()) - 1;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

bool segments_are_sound(const Snapshot& snapshot) {
  std::size_t least = 0;
  for (const Segment& segment : snapshot.segments) {
    if (segment.offset < least || segment.offset > snapshot.text.size()) return false;
    if (segment.file >= snapshot.files.size() || segment.line == 0 || segment.column == 0)
      return false;
    least = segment.offset;
  }
  return true;
}

bool parts_are_sound(const Snapshot& snapshot) {
  std::size_t least = 0;
  for (const Part& part : snapshot.parts) {
    if (part.offset < least || part.offset > snapshot.text.size()) return false;
    least = part.offset;
  }
  return snapshot.parts.empty() || snapshot.parts.front().offset == 0;
}

// "name =", "name.other =", "\"name\" =": how a line of TOML begins that is no table's head.
bool begins_with_key(std::string_view line) {
  const std::size_t end = line.find('=');
  if (end == std::string_view::npos || end == 0) return false;
  return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(end), [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || std::string_view("_-.\"' \t").find(c) != std::string_view::npos;
  });
}

}  // namespace

SourceLocation Snapshot::locate(std::size_t offset) const {
  if (segments.empty()) return {};
  offset = std::min(offset, text.size());
  const Segment& segment = segments[segment_at(segments, offset)];
  SourceLocation location{segment.file, segment.line, segment.column};
  if (segment.fixed || offset <= segment.offset) return location;
  const std::string_view passed =
      std::string_view(text).substr(segment.offset, offset - segment.offset);
  advance(passed, location.line, location.column);
  return location;
}

bool Snapshot::is_replaced(std::size_t offset) const {
  return !segments.empty() && segments[segment_at(segments, offset)].fixed;
}

std::string_view Snapshot::line_around(std::size_t offset) const {
  const std::string_view all = text;
  offset = std::min(offset, all.size());
  const std::size_t before = offset == 0 ? std::string_view::npos : all.rfind('\n', offset - 1);
  const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
  return all.substr(begin, std::min(all.find('\n', offset), all.size()) - begin);
}

SourceLocation LocationCursor::locate(std::size_t offset) {
  const std::vector<Segment>& segments = snapshot_->segments;
  if (segments.empty()) return {};
  offset = std::min(offset, snapshot_->text.size());
  const bool leaves_segment =
      started_ && segment_ + 1 < segments.size() && offset >= segments[segment_ + 1].offset;
  const bool same_segment = started_ && !leaves_segment && offset >= segments[segment_].offset;
  if (same_segment && offset < offset_) {
    // One step back, not to the start: callers go back a block at most.
    const std::string_view passed =
        std::string_view(snapshot_->text).substr(offset, offset_ - offset);
    line_ -= static_cast<std::uint32_t>(count_of(passed, '\n'));
    const std::size_t newline =
        offset == 0 ? std::string::npos : snapshot_->text.rfind('\n', offset - 1);
    const bool on_first_line = newline == std::string::npos || newline < segments[segment_].offset;
    column_ = static_cast<std::uint32_t>(on_first_line ? segments[segment_].column + offset -
                                                             segments[segment_].offset
                                                       : offset - newline);
    offset_ = offset;
    if (segments[segment_].fixed) {
      line_ = segments[segment_].line;
      column_ = segments[segment_].column;
    }
  }
  if (!same_segment) {
    segment_ = segment_at(segments, offset);
    offset_ = segments[segment_].offset;
    line_ = segments[segment_].line;
    column_ = segments[segment_].column;
    started_ = true;
  }
  const Segment& segment = segments[segment_];
  if (!segment.fixed && offset > offset_) {
    advance(std::string_view(snapshot_->text).substr(offset_, offset - offset_), line_, column_);
    offset_ = offset;
  }
  return {segment.file, line_, column_};
}

void append(Snapshot& to, Snapshot more, Syntax syntax) {
  const auto offset = static_cast<std::uint32_t>(to.text.size());
  const auto file = static_cast<std::uint32_t>(to.files.size());
  to.parts.push_back({offset, syntax});
  if (to.text.empty())
    to.text = std::move(more.text);
  else
    to.text += more.text;
  to.files.insert(to.files.end(), more.files.begin(), more.files.end());
  for (Segment segment : more.segments) {
    segment.offset += offset;
    segment.file += file;
    to.segments.push_back(segment);
  }
}

Syntax syntax_of(std::string_view name, std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (name.ends_with(".toml")) return Syntax::toml;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin != std::string_view::npos && line[begin] != '#') {
      const bool is_toml = line[begin] == '[' || begins_with_key(line.substr(begin));
      return is_toml ? Syntax::toml : Syntax::keepalived;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Syntax::keepalived;
}

std::vector<std::uint8_t> to_bytes(const Snapshot& snapshot) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(snapshot.text.size() + snapshot.segments.size() * kBytesPerSegment + 64);
  core::ByteWriter out(bytes);
  out.u32(kMagic);
  out.u32(static_cast<std::uint32_t>(snapshot.files.size()));
  for (const std::string& name : snapshot.files) put_string(out, name);
  out.u32(static_cast<std::uint32_t>(snapshot.segments.size()));
  for (const Segment& segment : snapshot.segments) {
    out.u32(segment.offset);
    out.u32(segment.file);
    out.u32(segment.line);
    out.u32(segment.column);
    out.u8(segment.fixed ? 1 : 0);
  }
  out.u32(static_cast<std::uint32_t>(snapshot.parts.size()));
  for (const Part& part : snapshot.parts) {
    out.u32(part.offset);
    out.u8(static_cast<std::uint8_t>(part.syntax));
  }
  put_accounts(out, snapshot.accounts);
  put_string(out, snapshot.text);
  return bytes;
}

core::Result<Snapshot> from_bytes(std::span<const std::uint8_t> bytes) {
  core::ByteReader in(bytes);
  if (in.u32() != kMagic) {
    return core::fail(
        "cannot read the configuration snapshot: it is not of this version of Holdfast");
  }
  Snapshot snapshot;
  const std::uint32_t files = in.u32();
  if (files > kMaxFiles)
    return core::fail("cannot read the configuration snapshot: it names {} files", files);
  for (std::uint32_t i = 0; i < files && in.ok(); ++i) snapshot.files.push_back(take_string(in));
  const std::uint32_t segments = in.u32();
  if (segments > in.remaining() / kBytesPerSegment) {
    return core::fail("cannot read the configuration snapshot: it is cut short");
  }
  snapshot.segments.reserve(segments);
  for (std::uint32_t i = 0; i < segments; ++i) {
    Segment segment;
    segment.offset = in.u32();
    segment.file = in.u32();
    segment.line = in.u32();
    segment.column = in.u32();
    segment.fixed = in.u8() != 0;
    snapshot.segments.push_back(segment);
  }
  const std::uint32_t parts = in.u32();
  if (parts > in.remaining() / kBytesPerPart) {
    return core::fail("cannot read the configuration snapshot: it is cut short");
  }
  snapshot.parts.reserve(parts);
  for (std::uint32_t i = 0; i < parts; ++i) {
    Part part;
    part.offset = in.u32();
    part.syntax = in.u8() == 0 ? Syntax::keepalived : Syntax::toml;
    snapshot.parts.push_back(part);
  }
  snapshot.accounts = take_accounts(in);
  snapshot.text = take_string(in);
  if (!in.ok() || in.remaining() != 0 || snapshot.text.size() > kMaxSnapshotBytes) {
    return core::fail("cannot read the configuration snapshot: its lengths do not match");
  }
  if (!segments_are_sound(snapshot) || !parts_are_sound(snapshot)) {
    return core::fail("cannot read the configuration snapshot: its map points outside the text");
  }
  return snapshot;
}

FileMatches match_files(std::string_view pattern, const std::string& including_file) {
  FileMatches found;
  std::filesystem::path full(pattern);
  if (full.is_relative()) full = std::filesystem::path(including_file).parent_path() / full;
  found.sought = full.string();
  found.is_pattern = pattern.find_first_of("*?[{") != std::string_view::npos;
  // Not glob's braces: {a,b}{a,b}{a,b}… would be a search without an end.
  for (const std::string& one : keepalived::expand_braces(found.sought)) {
    for (std::string& path : keepalived::matches_of(one)) {
      std::error_code ignored;
      if (!found.is_pattern || std::filesystem::is_regular_file(path, ignored))
        found.paths.push_back(std::move(path));
    }
  }
  return found;
}

bool is_same_file_as_any(const std::string& path, const std::vector<std::string>& others) {
  return std::any_of(others.begin(), others.end(), [&path](const std::string& other) {
    std::error_code error;
    return other == path || std::filesystem::equivalent(other, path, error);
  });
}

core::Result<std::string> read_text_file(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
  if (!file) return core::fail_errno(errno, "cannot read the configuration {}", path);
  struct stat status {};
  if (::fstat(::fileno(file.get()), &status) != 0) {
    return core::fail_errno(errno, "cannot read the configuration {}", path);
  }
  if (S_ISDIR(status.st_mode))
    return core::fail_errno(EISDIR, "cannot read the configuration {}", path);
  std::string text;
  if (status.st_size > 0)
    text.reserve(std::min(static_cast<std::size_t>(status.st_size) + 1, kMaxSnapshotBytes));
  std::array<char, 65536> block;
  while (const std::size_t count = std::fread(block.data(), 1, block.size(), file.get())) {
    text.append(block.data(), count);
    if (text.size() > kMaxSnapshotBytes) {
      return core::fail("cannot read the configuration {}: it is longer than {} MB", path,
                        kMaxSnapshotBytes >> 20);
    }
  }
  if (std::ferror(file.get()) != 0)
    return core::fail_errno(errno, "cannot read the configuration {}", path);
  return text;
}

}  // namespace holdfast::config
