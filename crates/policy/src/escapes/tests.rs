use super::find;
use crate::always::{AlwaysDenied, class_of};

fn of(line: &str) -> Option<String> {
    of_words(&line.split(' ').collect::<Vec<_>>())
}

fn of_words(words: &[&str]) -> Option<String> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    find(&words[0], &words[1..])
}

/// Lists every line that is let through, not only the first.
fn assert_refused(lines: &[&str]) {
    let through: Vec<_> = lines.iter().filter(|line| of(line).is_none()).collect();
    assert!(through.is_empty(), "let through: {through:#?}");
}

/// Lists every line that is refused, not only the first.
fn assert_passes(lines: &[&str]) {
    let refused: Vec<_> = lines
        .iter()
        .filter_map(|line| of(line).map(|marker| (line, marker)))
        .collect();
    assert!(refused.is_empty(), "refused: {refused:#?}");
}

#[test]
fn ways_to_start_a_program_are_found() {
    for line in [
        "find . -exec env ;",
        "find . -okdir env ;",
        "fd -x env",
        "git -c alias.x=!env x",
        "git -calias.x=!env x",
        "git -C /tmp -c core.pager=env log",
        "git --config-env=core.pager=X log",
        "git --exec-path=/tmp/evil log",
        "git push --receive-pack=evil origin",
        "git fetch --upload-p evil",
        "git rebase --exec env main",
        "git submodule foreach env",
        "git bisect run env",
        "git clone ext::env",
        "tar --to-command=env -xf x",
        "tar --checkpoint-action=exec=env -cf x .",
        "tar -I env -xf x",
        "ssh -o ProxyCommand=env host",
        "ssh -oproxycommand=env host",
        "rsync -e env a b",
        "rsync --rsh=env a b",
        "jq -n env",
        "jq -n $ENV.API_KEY",
        "yq -n strenv(API_KEY)",
        "make --eval=$(shell env)",
        "cmake -E env",
        "psql -c \\!env",
        "sqlite3 x .shell env",
        "split --filter=env x",
        "npm exec evil",
    ] {
        assert!(of(line).is_some(), "{line}");
    }
}

#[test]
fn ordinary_uses_are_not() {
    for line in [
        "find . -name x",
        "git push origin main",
        "git commit -c HEAD",
        "git switch -c topic",
        "git -C /src log --oneline",
        "tar -xf x.tar",
        "tar --exclude=x -cf y .",
        "ssh host uptime",
        "rsync -a a b",
        "jq .environment",
        "make all",
        "psql -c select",
        "npm publish",
        "ls -exec",
    ] {
        assert_eq!(of(line), None, "{line}");
    }
}

#[test]
fn a_marker_is_named_as_in_the_table() {
    assert_eq!(
        of("git fetch --upload-p=x").as_deref(),
        Some("--upload-pack")
    );
    assert_eq!(
        of("git submodule foreach x").as_deref(),
        Some("submodule foreach")
    );
}

#[test]
fn any_abbreviation_of_a_long_option_is_the_option() {
    assert_refused(&[
        "split --f=env>leak x",
        "split --f env x",
        "split --fil=env x",
        "sort --comp env x",
        "sort --c=env x",
        "tar --u=env -cf x y",
        "tar --to=env -xf x",
        "tar --checkpoint-=exec=env -cf x .",
        "tar --checkpoint-a exec=env -cf x .",
        "tar --rmt-command=env -xf h:x",
        "git rebase --e=env main",
        "git difftool --ext=env",
        "git ls-remote --u=env x",
        "make --e=$(shell) all",
        "make --f=x",
        "make --makefile=x",
        "make --mak x",
        "man --p=env ls",
        "man --h=env ls",
        "wget --use-a=env x",
        "wget -e use_askpass=env x",
        "wget -eUse-AskPass=env x",
        "openssl list --engine x",
    ]);
    assert_passes(&[
        "split -l 10 x",
        "split --lines=10 x",
        "split -- x",
        "sort --check x",
        "tar --file=x --create y",
        "tar --create --verbose --file x y",
        "tar --checkpoint=100 -cf x y",
        "tar --checkpoint -cf x y",
        "tar --extract --to-stdout --file x",
        "fd --extension rs --exclude target",
        "make --jobs=4 --silent all",
        "make --max-load=2 all",
        "wget -e robots=off x",
        "git log --oneline --reverse",
        "git diff --ext-diff",
    ]);
}

#[test]
fn a_letter_in_a_bundle_is_the_option() {
    assert_refused(&[
        "tar -cvIsh x",
        "tar -cI env -f o x",
        "tar -cvIsh -c env",
        "tar -xMFenv -f x",
        "bsdtar -cW use-compress-program=env -f x y",
        "rsync -ave env a b",
        "rsync -aveenv a b",
        "fd -Hx env",
        "fd -HIXenv",
        "make -sf x",
        "make -sE x",
        "scp -rS env a b",
        "sftp -qS env a",
        "sftp -D env",
        "tcpdump -nz env -w x",
        "man -aP env ls",
        "man -aHenv ls",
        "zip -rTT env x y",
    ]);
    assert_passes(&[
        "tar -cf out.tar dir",
        "tar -cvzf out.tar dir",
        "tar -xfIF.tar",
        "tar -CIF -xf a.tar",
        "tar -XIF -cf a.tar x",
        "rsync -av a b",
        "rsync -azP --delete a b",
        "rsync -avf exclude a b",
        "rsync -avfexclude a b",
        "fd -tx",
        "fd -Htx foo",
        "fd -Erx foo",
        "make -s all",
        "make -Cfolder all",
        "make -sCfolder all",
        "make -kj4 all",
        "cmake -DCMAKE_PREFIX_PATH=/x -S . -B build",
        "ssh -oStrictHostKeyChecking=no host",
        "ssh -iSecret host",
        "ssh -D 1080 host",
        "scp -r a b:c",
        "tcpdump -i eth0 -wx.gz",
        "man -a ls",
        "zip -rT x y",
    ]);
}

#[test]
fn tar_takes_its_first_word_for_a_bundle() {
    assert_refused(&[
        "tar cIf env o.tar x",
        "tar fcI o.tar env x",
        "tar xMFf env x",
        "gtar cvIf env o.tar x",
    ]);
    assert_passes(&[
        "tar xf a.tar",
        "tar czvf a.tar In Folder",
        "tar tf In.tar",
        "tar -xf a.tar IF",
    ]);
}

#[test]
fn options_before_the_subcommand_of_git() {
    assert_refused(&[
        "git --attr-source HEAD -c alias.x=!env x",
        "git --namespace x -c alias.x=!env x",
        "git --git-dir /x -c alias.x=!env x",
        "git --work-tree /x --git-dir=/x -c alias.x=!env x",
        "git --super-prefix x -c alias.x=!env x",
        "git --not-known-yet value -c alias.x=!env x",
        "git --not-known-yet -c alias.x=!env x",
        "git --not-known-yet --nor-this value -c alias.x=!env x",
        "git -C -C -c alias.x=!env x",
        "git -p -c core.pager=env log",
        "git --no-pager --config-env core.pager=X log",
        "git --attr-source HEAD --exec-path=/tmp/evil log",
        "git --not-known-yet value rebase -x env",
        "git --attr-source HEAD rebase -x env",
    ]);
    assert_passes(&[
        "git push origin main",
        "git push -u origin main",
        "git --git-dir=/x/.git status",
        "git --git-dir /x/.git status",
        "git --git-dir /x/.git --work-tree /x commit -c HEAD",
        "git --attr-source HEAD log -c",
        "git -C clone switch -c topic",
        "git --no-pager log -c",
        "git -p show -c",
        "git --namespace=x --literal-pathspecs log -c",
    ]);
}

#[test]
fn short_options_of_subcommands_of_git() {
    assert_refused(&[
        "git clone -c core.sshCommand=env x",
        "git clone -qc core.sshCommand=env x",
        "git clone -ccore.sshCommand=env x",
        "git clone --config core.sshCommand=env x",
        "git clone --conf=core.sshCommand=env x",
        "git clone -u env x",
        "git clone -quenv x",
        "git grep -Oenv x",
        "git grep -lO x",
        "git grep -nOenv x",
        "git grep --open=env x",
        "git difftool -x env",
        "git difftool -yx env",
        "git difftool -xenv",
        "git rebase -x env main",
        "git rebase -ix env main",
        "git rebase -xenv main",
        "git -C /src rebase -x env main",
        "git submodule --quiet foreach env",
        "git submodule -q foreach env",
        "git -p bisect run env",
        "git remote-ext origin env",
    ]);
    assert_passes(&[
        "git clone -b current x y",
        "git clone -bcurrent x y",
        "git clone -q x y",
        "git grep -n -e FOO",
        "git grep -neFOO",
        "git grep -l OPEN",
        "git rebase -i main",
        "git rebase -Xxy main",
        "git difftool -y",
        "git cherry-pick -x abc",
        "git clean -dx",
        "git submodule update --init",
        "git bisect start",
        "git commit -m clone -c HEAD",
        "git diff -Ofile",
    ]);
}

#[test]
fn dot_commands_of_sqlite3() {
    for text in [
        ".sh env",
        ".she env",
        ".sy env",
        ".sys env",
        ".system env",
        ". shell env",
        ".\"shell\" env",
        ".'sh' env",
        ".once |env",
        ".output '|env'",
        ".import \"|env\" t",
        ".re |env",
        ".load /tmp/x",
        "select 1;\n.sh env",
        "select load_extension('x')",
        "select edit('', 'env')",
    ] {
        assert!(of_words(&["sqlite3", "x", text]).is_some(), "{text}");
        assert!(
            of_words(&["sqlite3", "-cmd", text, "x"]).is_some(),
            "{text}"
        );
    }
    for text in [
        ".schema",
        ".show",
        ".tables",
        ".sha3sum",
        ".output x.csv",
        ".log off",
        "select t.s, t.sh from t",
        "select a || b from t",
    ] {
        assert_eq!(of_words(&["sqlite3", "x", text]), None, "{text}");
    }
}

#[test]
fn commands_that_run_their_arguments_are_wrappers() {
    for name in [
        "runcon",
        "uclampset",
        "sshpass",
        "socat",
        "prlimit",
        "choom",
        "numactl",
        "firejail",
        "bwrap",
        "systemd-run",
        "script",
        "watch",
        "setarch",
        "uname26",
        "aa-exec",
        "rlwrap",
    ] {
        assert_eq!(class_of(name), Some(AlwaysDenied::Wrapper), "{name}");
    }
}
