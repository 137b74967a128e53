// The configuration that every word is tried in.
#include "tests/support/schema_sample.hpp"

namespace holdfast::config::test {
namespace {

// Every block once, lists with several kinds of entries.
constexpr std::string_view kSkeleton = R"(
global_defs {
  router_id LVS_1
  notification_email {
    admin@example.com
  }
  lvs_sysctl {
    conntrack 1
  }
}
static_ipaddress {
  192.168.9.1/24 dev eth1 track_group group_1
  2001:db8:9::1/64 dev eth1
}
static_routes {
  10.9.0.0/16 dev eth1
  10.8.0.0/16 via 192.168.9.2
  default nexthop via 192.168.9.2 nexthop via 192.168.9.3
  2001:db8:8::/48 dev eth1
}
static_rules {
  from 10.9.0.0/16 table 100 priority 1000
  to 10.8.0.0/16 table 100 priority 1001
  from 2001:db8:8::/48 table 101 priority 1000
}
interface_up_down_delays {
  eth2 3 4
}
linkbeat_interfaces {
  eth1
}
vrrp_script check_1 {
  script "/bin/true --now"
}
vrrp_script check_2 {
  script /bin/true
}
vrrp_track_process process_1 {
  process nginx
}
track_file file_1 {
  file /run/file_1
}
track_file file_2 {
  file /run/file_2
}
bfd_instance bfd_1 {
  neighbor_ip 192.168.1.9
}
SSL {
  password secret
}
garp_group {
  interfaces {
    eth0 eth1
  }
}
track_group group_1 {
  group {
    VI_1
  }
}
vrrp_sync_group single {
  group {
    VI_3
  }
  track_interface {
    eth1
  }
}
vrrp_sync_group pair {
  group {
    VI_1
    VI_2
  }
  sync_group_tracking_weight
  track_interface {
    eth1 weight 5
    eth2
  }
  track_script {
    check_2
  }
  track_file {
    file_1
  }
  track_process {
    process_1
  }
  track_bfd {
    bfd_1
  }
}
vrrp_instance VI_1 {
  interface eth0
  virtual_router_id 51
  priority 100
  authentication {
    auth_type PASS
    auth_pass secret
  }
  virtual_ipaddress {
    192.168.1.200/24
    192.168.1.201/24 dev eth0
  }
  virtual_ipaddress_excluded {
    2001:db8::200/64
  }
  virtual_routes {
    10.1.0.0/16 via 192.168.1.1
  }
  virtual_rules {
    from 10.1.0.0/16 table 102 priority 1002
  }
  track_interface {
    eth1 weight 5
    eth2
  }
  track_script {
    check_1
    check_2 weight 5
  }
  track_file {
    file_1
  }
  track_process {
    process_1
  }
  track_bfd {
    bfd_1
  }
}
vrrp_instance VI_3 {
  interface eth2
  virtual_router_id 53
  notify "/bin/true --now"
  virtual_ipaddress {
    192.168.2.200/24
  }
}
vrrp_instance VI_2 {
  interface eth0
  virtual_router_id 52
  priority 100
  version 3
  unicast_peer {
    192.168.1.3
    192.168.1.4 min_ttl 254
  }
  auth_hmac {
    key 1 0123456789abcdef0123456789abcdef
    key 2 fedcba9876543210fedcba9876543210
  }
  virtual_ipaddress {
    192.168.1.210/24
  }
}
virtual_server_group web {
  192.168.1.200 80
  192.168.1.201 80
  fwmark 7
}
virtual_server 192.168.1.200 443 {
  protocol TCP
  lb_kind DR
  persistence_timeout 50
  quorum 3
  sorry_server 192.168.1.30 443
  real_server 192.168.1.11 443 {
    weight 2
    uthreshold 100
    TCP_CHECK {
    }
    HTTP_GET {
      url {
        path /
        regex found
      }
    }
    SSL_GET {
      url {
        path /
      }
    }
    SMTP_CHECK {
      host {
        connect_ip 192.168.1.99
      }
    }
    SMTP_CHECK {
    }
    DNS_CHECK {
    }
    MISC_CHECK {
      misc_path "/bin/true --now"
    }
    UDP_CHECK {
    }
    PING_CHECK {
    }
    BFD_CHECK {
      name bfd_1
    }
    FILE_CHECK {
      track_file file_1
    }
  }
  real_server 192.168.1.12 443 {
    weight 2
    TCP_CHECK {
    }
  }
}
virtual_server 192.168.1.202 53 {
  protocol TCP
  lb_kind TUN
  lb_algo mh
  persistence_timeout 50
  real_server 192.168.1.12 53 {
    notify_up "/bin/true --now"
    HTTP_GET {
      url {
        path /
      }
    }
  }
}
virtual_server fwmark 5 {
  protocol UDP
  lb_kind TUN
  lb_algo sh
  real_server 192.168.1.12 53 {
    PING_CHECK {
    }
  }
}
virtual_server group web {
  protocol TCP
  lb_kind NAT
  lb_algo mh
  real_server 192.168.1.12 8080 {
    weight 300
  }
}
)";

}  // namespace

std::string_view skeleton_text() {
  return kSkeleton;
}

}  // namespace holdfast::config::test
