//! Variables that change what a program executes.
//!
//! The list is for names that an operator passes on or binds a secret to; nothing is inherited
//! unless it is on the other list, in `environment.rs`.

/// Refused whatever follows the prefix.
const PREFIXES: &[&str] = &[
    "LD_",
    "DYLD_",
    "BASH_FUNC_",
    "SUBROSA_",
    "GLIBC_",
    "MALLOC_",
    "COR_",
    "CORECLR_",
    "DOTNET_",
    "npm_config_",
    "NPM_CONFIG_",
    "CARGO_BUILD_",
    "CARGO_TARGET_",
];

/// Refused unless the rest of the name is that of a credential, which the tool does not read:
/// `GIT_TOKEN` is a likely name for a secret, `GIT_SSH_COMMAND` is a command.
const FAMILIES: &[&str] = &["GIT_", "PYTHON", "PERL", "RUBY", "LUA_", "PHP_"];
const CREDENTIALS: &[&str] = &["_TOKEN", "_PASSWORD", "_SECRET", "_API_KEY", "_USERNAME"];

/// Refused as they are.
const NAMES: &[&str] = &[
    // Shells.
    "BASH_ENV",
    "ENV",
    "PS0",
    "PS1",
    "PS2",
    "PS4",
    "PROMPT_COMMAND",
    "SHELLOPTS",
    "BASHOPTS",
    "BASH_LOADABLES_PATH",
    "BASH_XTRACEFD",
    "IFS",
    "CDPATH",
    "GLOBIGNORE",
    "FPATH",
    "ZDOTDIR",
    "INPUTRC",
    "HISTFILE",
    "MAIL",
    "MAILPATH",
    // Interpreters and compilers.
    "NODE_OPTIONS",
    "NODE_PATH",
    "NODE_REPL_EXTERNAL_MODULE",
    "NODE_EXTRA_CA_CERTS",
    "NODE_TLS_REJECT_UNAUTHORIZED",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "CLASSPATH",
    "MAVEN_OPTS",
    "GRADLE_OPTS",
    "GOFLAGS",
    "RUSTFLAGS",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "MAKEFLAGS",
    "GNUMAKEFLAGS",
    "MAKEFILES",
    "TCLLIBPATH",
    "R_PROFILE",
    "R_PROFILE_USER",
    "R_ENVIRON",
    "R_ENVIRON_USER",
    "JULIA_LOAD_PATH",
    "PHPRC",
    "GEM_HOME",
    "GEM_PATH",
    "BUNDLE_GEMFILE",
    "BUN_OPTIONS",
    "DENO_DIR",
    // Programs that other programs start.
    "EDITOR",
    "VISUAL",
    "PAGER",
    "MANPAGER",
    "BROWSER",
    "LESS",
    "LESSOPEN",
    "LESSCLOSE",
    "SSH_ASKPASS",
    "SUDO_ASKPASS",
    "SYSTEMD_PAGER",
    "SYSTEMD_EDITOR",
    "VIMINIT",
    "EXINIT",
    "TAR_OPTIONS",
    "RSYNC_RSH",
    "CVS_RSH",
    "SVN_SSH",
    "SVN_EDITOR",
    "HGEDITOR",
    "KUBE_EDITOR",
    // Libraries.
    "GCONV_PATH",
    "LOCPATH",
    "NLSPATH",
    "HOSTALIASES",
    "RES_OPTIONS",
    "LOCALDOMAIN",
    "TZDIR",
    "TERMINFO",
    "TERMINFO_DIRS",
    "TERMCAP",
    "OPENSSL_CONF",
    "OPENSSL_MODULES",
    "OPENSSL_ENGINES",
    "GETCONF_DIR",
    "RESOLV_HOST_CONF",
    "GIO_EXTRA_MODULES",
    "GTK_MODULES",
    "GTK_PATH",
    "QT_PLUGIN_PATH",
    "XDG_RUNTIME_DIR",
];

/// Set by us; another value would make the child run elsewhere or read other files.
const OWN: &[&str] = &[
    "PATH", "PWD", "OLDPWD", "HOME", "SHELL", "USER", "LOGNAME", "TERM", "TMPDIR",
];

/// Why no command gets a variable of this name, from an operator or from a secret; `None` when it
/// may have it.
#[must_use]
pub fn never(name: &str) -> Option<&'static str> {
    if OWN.contains(&name) {
        return Some("its value is set by Subrosa itself; bind to another name");
    }
    let listed = NAMES.contains(&name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || FAMILIES.iter().any(|family| {
            name.strip_prefix(family)
                .is_some_and(|_| !CREDENTIALS.iter().any(|end| name.ends_with(end)))
        });
    listed.then_some("it changes what programs load or execute; bind to another name")
}
