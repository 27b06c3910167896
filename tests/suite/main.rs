//! One test binary for all stories; each module says what it is about.

#![allow(clippy::disallowed_methods, reason = "tests start programs and threads as they like")]

/// What the program remembers of vaults belongs into the person's home; that of the
/// tests goes to the build folder. Set before `main`, when no thread runs yet.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static OUT_OF_THE_HOME: extern "C" fn() = {
    extern "C" fn set() {
        // A test that starts this program again names its folders itself.
        if std::env::var_os(MARK).is_some() {
            return;
        }
        let home = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("home");
        let _ = std::fs::remove_dir_all(&home);
        // SAFETY: no other thread runs yet.
        unsafe {
            std::env::set_var(MARK, "1");
            for name in ["XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
                std::env::set_var(name, home.join(name));
            }
        }
    }
    const MARK: &str = "POTERNE_SUITE";
    set
};

mod audit_acts;
mod audit_bundle;
mod audit_export;
mod audit_formats;
mod audit_live;
mod audit_log;
mod cli_cut_off;
mod cli_far_sides;
mod cli_kit;
mod cli_lines;
mod cli_links;
mod cli_output;
mod cli_places;
mod cli_refusals;
mod cli_rules;
mod cli_sessions;
mod cli_slips;
mod cli_story;
mod cli_web;
mod codes_table;
mod connect_all;
mod crash;
mod crash_random;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod demo_traces;
mod disk_full;
mod entries_story;
#[cfg(all(feature = "gui", unix))]
mod file_send;
#[cfg(feature = "gui")]
mod form_story;
mod formats;
mod fuzz;
#[cfg(feature = "gui")]
mod gui_acts;
#[cfg(feature = "gui")]
mod gui_ahead;
#[cfg(feature = "gui")]
mod gui_changes;
#[cfg(feature = "gui")]
mod gui_config;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod gui_desktop;
#[cfg(feature = "gui")]
mod gui_fake;
#[cfg(feature = "gui")]
mod gui_fake_answers;
#[cfg(feature = "gui")]
mod gui_fake_enrol;
#[cfg(feature = "gui")]
mod gui_fake_session;
#[cfg(feature = "gui")]
mod gui_fake_tree;
#[cfg(feature = "gui")]
mod gui_fake_views;
#[cfg(feature = "gui")]
mod gui_files;
#[cfg(feature = "gui")]
mod gui_first_run;
#[cfg(feature = "gui")]
mod gui_form;
#[cfg(feature = "gui")]
mod gui_keyboard;
#[cfg(feature = "gui")]
mod gui_lock;
#[cfg(feature = "gui")]
mod gui_log;
#[cfg(feature = "gui")]
mod gui_models;
#[cfg(feature = "gui")]
mod gui_pages;
#[cfg(feature = "gui")]
mod gui_roles;
#[cfg(feature = "gui")]
mod gui_room;
mod gui_screen;
#[cfg(feature = "gui")]
mod gui_secret_edit;
#[cfg(feature = "gui")]
mod gui_sessions;
#[cfg(feature = "gui")]
mod gui_shell;
#[cfg(feature = "gui")]
mod gui_terminal;
#[cfg(feature = "gui")]
mod gui_terminal_colors;
#[cfg(feature = "gui")]
mod gui_terminal_programs;
#[cfg(feature = "gui")]
mod gui_theme;
#[cfg(feature = "gui")]
mod gui_vpn;
#[cfg(feature = "gui")]
mod gui_web;
#[cfg(feature = "gui")]
mod host_hostile;
mod insiders;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod keyring;
mod kill;
mod kit;
#[cfg(feature = "gui")]
mod kit_gui;
mod kit_kerberos;
mod kit_lines;
mod kit_mariadb;
mod kit_portal;
mod kit_postgres;
mod kit_profiles;
#[cfg(target_os = "linux")]
mod kit_rdgw;
mod kit_rdp;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod kit_reader;
mod kit_rows;
#[cfg(target_os = "linux")]
mod kit_screen;
mod kit_ssh;
mod kit_told;
mod kit_vnc;
#[cfg(target_os = "linux")]
mod kit_vpn;
#[cfg(target_os = "linux")]
mod kit_web;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod kit_window;
#[cfg(target_os = "linux")]
mod kit_wireguard;
mod lasting_access;
mod leaks;
mod lines;
mod log_keys;
mod manifest_approval;
mod manifest_programs;
mod manifest_shared;
mod manifest_signed;
mod manifest_text;
mod manifest_two_vaults;
mod manifest_ways;
mod manifest_windows;
mod members;
mod memory;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod memory_window;
#[cfg(target_os = "linux")]
mod openvpn_management;
mod openvpn_profile;
#[cfg(target_os = "linux")]
mod openvpn_reads;
mod plan_story;
mod properties;
mod rdp;
#[cfg(feature = "gui")]
mod rdp_back;
#[cfg(feature = "gui")]
mod rdp_files;
#[cfg(target_os = "linux")]
mod rdp_folder;
#[cfg(target_os = "linux")]
mod rdp_freerdp;
#[cfg(target_os = "linux")]
mod rdp_gateway;
#[cfg(target_os = "linux")]
mod rdp_gateway_hostile;
#[cfg(target_os = "linux")]
mod rdp_hostile;
mod rdp_kerberos;
mod rdp_nla;
mod rdp_sound;
mod restore_swap;
mod rules;
mod search_story;
mod seeded;
mod slots;
mod smoke;
mod snapshots;
mod ssh_login;
mod ssh_old_devices;
mod ssh_session;
mod tamper;
mod team_story;
mod vault_story;
mod vectors;
mod vnc;
#[cfg(target_os = "linux")]
mod vpn_command;
#[cfg(target_os = "linux")]
mod vpn_import;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod vpn_kinds;
#[cfg(target_os = "linux")]
mod vpn_sessions;
mod waiting;
#[cfg(target_os = "linux")]
mod web_login;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod window_close;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod window_first;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod window_lines;
#[cfg(all(feature = "gui", target_os = "linux"))]
mod window_story;
#[cfg(target_os = "linux")]
mod wireguard;
