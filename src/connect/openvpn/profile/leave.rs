//! Every directive that is known and left out, by the reason: a person is told more than
//! that it is unknown.

use super::why::Class;

/// What is left out, divided by spaces.
pub const LEFT_OUT: &[(Class, &str)] = &[
    (
        Class::RunsCode,
        "plugin up down route-up route-pre-down ipchange tls-verify auth-user-pass-verify \
         client-connect client-disconnect client-crresponse learn-address tls-crypt-v2-verify \
         script-security iproute engine providers pkcs11-providers pkcs11-id \
         pkcs11-id-management pkcs11-private-mode pkcs11-protected-authentication \
         pkcs11-cert-private pkcs11-pin-cache show-pkcs11-ids cryptoapicert dns-updown",
    ),
    (Class::SendsFile, "http-proxy-user-pass"),
    (Class::ReadsFile, "config askpass capath crl-verify dh auth-gen-token-secret tls-export-cert"),
    (
        Class::WritesFile,
        "log log-append status writepid replay-persist ifconfig-pool-persist tmp-dir memstats \
         genkey",
    ),
    (
        Class::Management,
        "management management-client management-client-auth management-client-group \
         management-client-pf management-client-user management-external-cert \
         management-external-key management-forget-disconnect management-hold \
         management-log-cache management-query-passwords management-query-proxy \
         management-query-remote management-signal management-up-down http-proxy-override",
    ),
    (Class::Environment, "setenv-safe x509-track x509-username-field keying-material-exporter"),
    (
        Class::Process,
        "cd chroot user group daemon setcon syslog nice mlock inetd remap-usr1 \
         persist-remote-ip persist-local-ip mktun rmtun dev-node lladdr txqueuelen mark \
         bind-dev service gremlin",
    ),
    (
        Class::SetHere,
        "auth-retry local lport bind multihome ifconfig-noexec route-noexec ifconfig-nowarn \
         up-delay up-restart down-pre errors-to-stderr status-version suppress-timestamps \
         machine-readable-output echo parameter ignore-unknown-option http-proxy-retry \
         socks-proxy-retry http-proxy-timeout max-routes preresolve ip-remote-hint prng \
         test-crypto tls-exit single-session allow-recursive-routing disable-occ \
         use-prediction-resistance mtu-test show-net-up",
    ),
    (Class::Tells, "push-peer-info"),
    (Class::Weakens, "no-replay no-iv"),
    (
        Class::Server,
        "mode server server-ipv6 server-bridge push push-reset push-remove ifconfig-pool \
         ifconfig-ipv6-pool ifconfig-push ifconfig-ipv6-push ifconfig-push-constraint \
         client-config-dir ccd-exclusive client-to-client duplicate-cn max-clients \
         max-routes-per-client verify-client-cert username-as-common-name \
         auth-user-pass-optional opt-verify auth-gen-token iroute iroute-ipv6 disable \
         tcp-nodelay tcp-queue-limit bcast-buffers port-share stale-routes-check hash-size \
         connect-freq connect-freq-initial tls-server vlan-tagging vlan-accept vlan-pvid \
         push-continuation auth-token auth-token-user peer-id key-derivation \
         protocol-flags force-tls-key-material-export",
    ),
    (
        Class::System,
        "windows-driver block-outside-dns register-dns ip-win32 route-method win-sys \
         dhcp-renew dhcp-release dhcp-pre-release tap-sleep pause-exit allow-nonadmin \
         msg-channel dhcp-internal rdns-internal show-net show-adapters show-valid-subnets",
    ),
    (
        Class::Gone,
        "tls-remote client-cert-not-required compat-names no-name-remapping key-method \
         keysize ncp-disable mtu-dynamic max-routes-ipv6 tun-mtu-max pkcs11-sign-mode \
         ifconfig-pool-linear",
    ),
    (
        Class::NotTaken,
        "dns http-proxy-option client-nat shaper passtos proto-force max-packet-size \
         verify-hash allow-deprecated-insecure-static-crypto show-gateway show-ciphers \
         show-digests show-engines show-tls show-curves show-groups version help",
    ),
];

/// Why the directive of that name is left out.
pub fn why(name: &str) -> Class {
    let found = LEFT_OUT.iter().find(|(_, names)| names.split(' ').any(|known| known == name));
    found.map_or(Class::Unknown, |(class, _)| *class)
}
