//! Scripts by chance in which everything may stand everywhere: every clause, also `sensitive … with
//! risk`, blocks within blocks, functions that call functions, and ends in the middle.

use super::generator::COMMANDS;

/// What the other generator leaves out, because it shows more than it should or runs nowhere.
const MORE: &[&str] = &[
    "wait V seconds",
    "script 'date' timeout V seconds",
    "script 'date' into @V timeout V seconds",
    "script V into @V",
    "system filter V into vault",
    "system filter 'N*' into vault",
    "cabinet list V into ::c",
    "cabinet read V into @V",
    "program run 'echo @{V} x' into @V",
    "program run V into @V",
    "V into environment 'E'",
    "V into environment V",
    "call V with V into @V",
    "call 'cap' into @V",
    "map merge ::m ::m",
    "list add ::c ::m",
    "list add ::c V into ::d",
    "map set ::m V V into ::d",
    "::c into ::d",
    "V + V into vault 'N'",
    "vault 'N' into vault 'M'",
    "text join ::c V into @V",
    "list length ::d into @V",
    "say V on mac",
    "V into @V on mac",
    "parameter 1 into @V",
    "parameter 2 into vault 'N'",
    "@undefined into @V",
    "increase @V by V",
    "#plain ::c into @V",
    "#down 3 into @V",
    "#down @V into @V",
    "#first V V into @V",
    "#second V into @V",
    "#third into @V",
    "#third",
    "#nowhere V",
    "ask V with default V into vault 'N'",
    "list add ::e V",
    "list remove ::e V",
    "map set ::e 'k' V",
    "map get ::e V into @V",
    "map merge ::e ::m",
    "::e into ::d",
    "::e:1 into ::d",
    "text split V ',' into ::e",
    "text join ::e V into @V",
    "open container ::e\nadd item V\nend",
    "open container ::e\nadd map V 'v'\nend",
    "container into ::d\nadd item V\nadd item V\nend",
    "container into ::d\nadd container 'in'\nadd item V\nend\nend",
    "say V timeout V seconds",
    "#second V into @V timeout V seconds",
    "V into @V trace",
    "'x@{V}@{V}' into @V",
    "'public' into vault 'N'",
    "script 'echo public'",
];
/// How a function or the script ends before its end.
const ENDS: &[&str] = &["success V", "success", "fail V", "failure"];
const VALUES: &[&str] = &[
    "'lit'",
    "@p",
    "@s",
    "@t",
    "@a",
    "@b",
    "'i@{s}'",
    "'i@{a}'",
    "5",
    "::c",
    "::d",
    "::m:k",
    "'@{::c:0}'",
    "::c:1",
    "::e:0",
    "::e:1",
    "::e:k",
    "'e@{::e:1}'",
    "::e",
    "@{vault 'S2'}",
    "@{vault 'N'}",
    "true",
    "1",
];
const COMPARISONS: &[&str] = &["is", "is not", ">", "<", "contains"];

pub(crate) struct Wild {
    state: u64,
    depth: usize,
    in_function: bool,
}

impl Wild {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0xd134_2543_de82_ef95) | 1,
            depth: 0,
            in_function: false,
        }
    }

    fn below(&mut self, count: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).expect("small") % count
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    pub(crate) fn script(&mut self) -> String {
        self.in_function = true;
        let mut functions = String::new();
        // Each calls those behind it only, so that it ends soon.
        for name in ["third", "second", "first"] {
            let count = 1 + self.below(4);
            let body = self.statements(count, name);
            let end = self.of(&["success V\n", "success V\n", "success\n", "fail\n", ""]);
            let end = self.filled(end);
            functions.push_str(&format!(
                "function #{name}\nsafe parameter 1 into @a\nsafe parameter 2 into @b\n{body}{end}end\n"
            ));
        }
        self.in_function = false;
        let count = 2 + self.below(8);
        let body = self.statements(count, "");
        let end = self.of(&[
            "success\n",
            "success\n",
            "fail\n",
            "#first @s into @p\nsay @p\n",
        ]);
        format!(
            "'public' into @p\nvault 'S1' into @s\nvault 'S2' into @t\n'a' into @a\n'1' into @b\n\
             text length @t into @n\nmath mod @n 3 into @n\n\
             container into ::c\nadd item 'one'\nadd item 'two'\nend\n\
             container into ::d\nadd item '1'\nend\n\
             container into ::m\nadd map 'k' 'v'\nend\n\
             text split @s ',' into ::e\n\
             function #plain\nparameter 1 into @x\n@x append '!' into @y\nsuccess @y\nend\n\
             function #choosing\nparameter 1 into @x\nsensitive if @x is 'public'\nsuccess 'one'\nend\n\
             'after' into @y\nsuccess @y\nend\n\
             function #saying\nparameter 1 into @x\nsay 'said'\nsuccess 'done'\nend\n\
             function #down\nparameter 1 into @x\nsensitive if @x > 0\nmath sub @x 1 into @x\n\
             #down @x into @x\nend\nsuccess @x\nend\n\
             {functions}{body}{end}"
        )
    }

    fn filled(&mut self, template: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('V') {
            out.push_str(&rest[..at]);
            match out.ends_with('@') || out.ends_with("@{") {
                true => out.push_str(self.of(&["a", "b", "p"])),
                false => out.push_str(self.of(VALUES)),
            }
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
        out
    }

    fn clauses(&mut self) -> &'static str {
        // Mostly `safe`, so that runs come far.
        let all = ["", "sensitive ", "safe ", "safe sensitive "];
        all[[0, 1, 2, 2, 2, 3, 3, 3][self.below(8)]]
    }

    fn statements(&mut self, count: usize, function: &str) -> String {
        (0..count).map(|_| self.statement(function)).collect()
    }

    fn statement(&mut self, function: &str) -> String {
        if self.depth < 3 && self.below(3) == 0 {
            self.depth += 1;
            let block = self.block(function);
            self.depth -= 1;
            return block;
        }
        if self.below(14) == 0 && (self.in_function || self.depth > 0) {
            let end = self.of(ENDS);
            return self.filled(end) + "\n";
        }
        let template = match self.below(2) {
            0 => MORE[self.below(MORE.len())],
            _ => COMMANDS[self.below(COMMANDS.len())].1,
        };
        let calls = ["first", "second", "third"];
        let own = calls.iter().position(|name| *name == function);
        let called = calls
            .iter()
            .position(|name| template.contains(&format!("#{name}")));
        let is_outside = template.starts_with("parameter") && !self.in_function;
        if is_outside || (own.is_some() && called.is_some() && called <= own) {
            return String::new();
        }
        let line = self.filled(&template.replace("'N'", "'M1'"));
        let bare = line.strip_prefix("safe ").unwrap_or(&line).to_owned();
        let is_block = bare.starts_with("container") || bare.starts_with("open");
        let clauses = match is_block {
            true => self.of(&["", "safe "]),
            false => self.clauses(),
        };
        let takes_risk = !is_block && !bare.starts_with('#');
        // A modifier that has to come last.
        let (head, last) = match bare.strip_suffix(" on mac") {
            Some(head) => (head, " on mac"),
            None => (bare.as_str(), ""),
        };
        match takes_risk && self.below(3) == 0 {
            true => format!("{clauses}{head} with risk{last}\n"),
            false => format!("{clauses}{head}{last}\n"),
        }
    }

    fn condition(&mut self) -> String {
        let comparison = self.of(COMPARISONS);
        let condition = match self.below(4) {
            0 => "@s is 'first-secret-value'".to_owned(),
            1 => "V is V".to_owned(),
            2 => format!("V {comparison} V"),
            _ => "@p is 'public'".to_owned(),
        };
        self.filled(&condition)
    }

    fn block(&mut self, function: &str) -> String {
        let clauses = self.clauses();
        let count = 1 + self.below(3);
        let inner = self.statements(count, function);
        let depth = self.depth;
        match self.below(8) {
            0 | 1 => {
                let condition = self.condition();
                format!("{clauses}if {condition}\n{inner}end\n")
            }
            2 => {
                let (one, two) = (self.condition(), self.condition());
                let (more, rest) = (self.statement(function), self.statement(function));
                format!("{clauses}if {one}\n{more}else if {two}\n{inner}else\n{rest}end\n")
            }
            3 => {
                let count = self.of(&["2", "@n", "@n", "0", "::e:1"]);
                format!("{clauses}repeat {count}\n{inner}end\n")
            }
            4 => {
                let bound = self.of(&["2", "@n", "1"]);
                format!(
                    "0 into @w{depth}\n{clauses}while @w{depth} < {bound}\n\
                     increase @w{depth}\n{inner}end\n"
                )
            }
            5 => {
                let over = self.of(&["::c", "::d", "::m", "::e"]);
                let item = self.of(&["i", "a", "p"]);
                format!("{clauses}iterate {over} as @{item}\n{inner}end\n")
            }
            _ => {
                let clauses = self.of(&["safe", "sensitive", "safe sensitive"]);
                format!("{clauses}\n{inner}end\n")
            }
        }
    }
}
