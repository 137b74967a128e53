# What `cmake --install build --prefix /usr` puts where. Nothing is enabled or started, and no configuration is
# written: the examples go beside the documentation.
include(GNUInstallDirs)

install(TARGETS holdfast RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(TARGETS holdfast-dbus RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/holdfast)
install(TARGETS holdfastctl RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# Each program describes its own words to the shell.
install(CODE "
  file(MAKE_DIRECTORY \"${PROJECT_BINARY_DIR}/completions\")
  execute_process(COMMAND \"$<TARGET_FILE:holdfast>\" --completion bash
    OUTPUT_FILE \"${PROJECT_BINARY_DIR}/completions/holdfast\" COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND \"$<TARGET_FILE:holdfastctl>\" completion bash
    OUTPUT_FILE \"${PROJECT_BINARY_DIR}/completions/holdfastctl\" COMMAND_ERROR_IS_FATAL ANY)")
install(FILES "${PROJECT_BINARY_DIR}/completions/holdfast" "${PROJECT_BINARY_DIR}/completions/holdfastctl"
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)

# The units name the programs by their whole paths, and the prefix is known at last when it is installed.
foreach(unit IN ITEMS holdfast.service holdfast-metrics.service holdfast-real-server@.service
        holdfast-ipvs.service)
  install(CODE "
    file(READ \"${PROJECT_SOURCE_DIR}/etc/${unit}\" unit)
    string(REPLACE \"/usr/sbin/\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}/\" unit \"\${unit}\")
    string(REPLACE \"/usr/bin/\" \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" unit \"\${unit}\")
    file(WRITE \"${PROJECT_BINARY_DIR}/${unit}\" \"\${unit}\")")
  install(FILES "${PROJECT_BINARY_DIR}/${unit}" DESTINATION lib/systemd/system)
endforeach()

install(FILES etc/holdfast-dbus.policy DESTINATION ${CMAKE_INSTALL_DATADIR}/dbus-1/system.d RENAME org.keepalived.Vrrp1.conf)
install(FILES etc/holdfast.sysusers DESTINATION lib/sysusers.d RENAME holdfast.conf)

install(FILES docs/holdfast.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/holdfastctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/holdfast.conf.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES README.md CHANGELOG.md docs/configuration.md docs/compatibility.md docs/exit-codes.md docs/metrics.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
file(GLOB examples CONFIGURE_DEPENDS etc/*.conf etc/*.toml)
install(FILES ${examples} DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY etc/prometheus DESTINATION ${CMAKE_INSTALL_DOCDIR})
