"""The laboratory: the articles' machines as network namespaces, and a virtual machine for ip_vs.

Used by the demo (`./dev demo`) and by the tests alike, so that what people see is what is tested.
  vm.py        boots a Debian kernel that has ip_vs and runs one command inside it
  netns.py     namespaces, links, commands and background processes inside them
  topology.py  the articles' machines: client, two directors, two real servers, a switch
  director.py  a director process: Holdfast or keepalived, started from a configuration file
  wire.py      packet captures and their reading (VRRP adverts, ARP)
"""
