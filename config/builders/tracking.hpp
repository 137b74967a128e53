// What instances and groups share and watch: track_* lists, and the names they refer to.
#pragma once

#include "config/builders/builder.hpp"

namespace holdfast::config {

/// The body of track_interface, or of track_script, _file, _process, _bfd: adds to `out`.
void read_tracked_interfaces(const Args& args, std::vector<Tracked>& out);
void read_tracked(const Args& args, std::vector<Tracked>& out);
/// The body of `group` and `interfaces`: names, several on a line or one.
void read_names(const Args& args, std::vector<std::string>& out);

void build_sync_group(const Args& args);
void build_script(const Args& args);
void build_track_process(const Args& args);
void build_track_file(const Args& args);
void build_bfd_instance(const Args& args);
void build_garp_group(const Args& args);
void build_track_group(const Args& args);
/// After all blocks: drops the entries that name what is nowhere, and says so.
void resolve_names(BuildContext& context);
[[nodiscard]] bool tracking_knows(KeywordId id);

}  // namespace holdfast::config
