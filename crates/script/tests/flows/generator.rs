//! Scripts by chance, over every command in every place with every clause.

use std::collections::BTreeSet;

/// Statements without clauses. `S` is a secret variable or any other, `V` a value.
pub(crate) const COMMANDS: &[(&str, &str)] = &[
    ("assign", "V into @V"),
    ("assign-secret", "@s into @V"),
    ("set", "set V into @V"),
    ("store", "V into vault 'N'"),
    ("fetch", "vault 'S1' into @V"),
    ("fetch-made", "safe vault 'N' into @V"),
    ("append", "@V append V into @V"),
    ("plus", "V + @V into @V"),
    ("sum", "safe V + @V as integer into @V"),
    ("say", "say V"),
    ("say-mixed", "say 'x@{V}y'"),
    ("ask", "ask V into @V"),
    ("ask-default", "ask 'p' with default V with mask into @V"),
    ("ask-vault", "ask 'p' into vault 'N'"),
    ("write", "cabinet write 'f' with V"),
    ("write-path", "cabinet write V with 'x'"),
    ("add", "cabinet append 'f' with V"),
    ("read", "safe cabinet read 'there' into @V"),
    ("create", "cabinet create V"),
    ("delete", "cabinet delete V"),
    ("move", "cabinet move 'f' V"),
    ("copy", "cabinet copy V 'g'"),
    ("list", "cabinet list '.' into ::c"),
    ("script", "script 'echo @{V}'"),
    ("script-into", "script 'echo @{V}' into @V"),
    ("script-plain", "script 'date' into @V"),
    ("program", "program run 'echo @{V}'"),
    ("environment", "V into environment 'E'"),
    ("call", "call 'cap' with V into @V"),
    ("import", "system filter 'NONE*' into vault"),
    ("length", "text length V into @V"),
    ("upper", "text upper V into @V"),
    ("slice", "text slice V 0 2 into @V"),
    ("replace", "text replace V 'a' 'b' into @V"),
    ("contains", "text contains V 'a' into @V"),
    ("compare", "text compare V @V into @V"),
    ("split", "text split V ',' into ::c"),
    ("math", "safe math add V 1 into @V"),
    ("bool", "safe bool all V into @V"),
    (
        "container",
        "container into ::c\nadd item V\nadd item 'm'\nend",
    ),
    ("map", "container into ::m\nadd map 'k' V\nend"),
    ("open", "open container ::c\nadd item V\nend"),
    ("list-add", "safe list add ::c V"),
    ("list-remove", "safe list remove ::c V"),
    ("list-length", "list length ::c into @V"),
    ("list-join", "list join ::c with '-' into @V"),
    ("map-set", "safe map set ::m V V"),
    ("map-get", "safe map get ::m V into @V"),
    ("map-has", "map has ::m V into @V"),
    ("member", "safe ::c:0 into @V"),
    ("as-text", "'@{::c:0}' into @V"),
    ("step", "safe increase @V by '1'"),
    ("invoke", "#plain V into @V"),
    ("invoke-choosing", "#choosing V into @V"),
    ("invoke-saying", "#saying V into @V"),
    ("wait", "wait 0 seconds"),
    ("trace", "V into @V trace"),
];

/// Where a statement stands.
const PLACES: &[&str] = &[
    "top",
    "if",
    "else",
    "secret-if",
    "secret-else",
    "function",
    "repeat",
    "secret-repeat",
    "while",
    "iterate",
    "cluster",
];

/// The clauses before it, and whether it says `with risk`. With both, a secret leaves: there only
/// public values are said.
const CLAUSES: &[&str] = &["", "sensitive", "risk", "safe", "safe sensitive"];

/// What a script has to be made of, so that all is covered.
pub(crate) fn combinations() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    COMMANDS.iter().flat_map(|(name, _)| {
        let places = PLACES.iter();
        places.flat_map(move |place| CLAUSES.iter().map(move |clauses| (*name, *place, *clauses)))
    })
}

pub(crate) struct Generator {
    state: u64,
    /// What was made so far.
    pub(crate) made: BTreeSet<(&'static str, &'static str, &'static str)>,
    functions: String,
    number: usize,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            made: BTreeSet::new(),
            functions: String::new(),
            number: usize::try_from(seed).expect("small"),
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

    /// A script: a beginning in which everything has a value, statements, and an end.
    pub(crate) fn script(&mut self) -> String {
        let mut body = String::new();
        // Goes through all that there is, so that no combination is left to chance.
        let all = COMMANDS.len() * PLACES.len() * CLAUSES.len();
        let due = combinations().nth(self.number % all).expect("one of them");
        body.push_str(&self.placed(due));
        for _ in 0..self.below(6) {
            let one = combinations().nth(self.below(all)).expect("one of them");
            body.push_str(&self.placed(one));
        }
        format!(
            "'public' into @p\nvault 'S1' into @s\nvault 'S2' into @t\n'a' into @a\n'1' into @b\n\
             container into ::c\nadd item 'one'\nadd item 'two'\nend\n\
             container into ::m\nadd map 'k' 'v'\nend\n\
             function #plain\nparameter 1 into @x\n@x append '!' into @y\nsuccess @y\nend\n\
             function #choosing\nparameter 1 into @x\nsensitive if @x is 'public'\nsuccess 'one'\nend\n\
             'after' into @y\nsuccess @y\nend\n\
             function #saying\nparameter 1 into @x\nsay 'said'\nsuccess 'done'\nend\n\
             {}{body}\nsafe sensitive say @a\nsafe say @b\nsafe say @p\nsafe sensitive say ::c\n\
             say 'the end'\nsuccess\n",
            self.functions
        )
    }

    fn value(&mut self) -> &'static str {
        self.of(&[
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
            "@{vault 'S2'}",
        ])
    }

    fn statement(&mut self, template: &str, clauses: &str) -> String {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['V', 'N']) {
            out.push_str(&rest[..at]);
            let is_name = rest[at..].starts_with("NONE");
            let is_variable = out.ends_with('@') || out.ends_with("@{");
            match (&rest[at..=at], is_variable) {
                ("N", _) if is_name => out.push('N'),
                ("N", _) => out.push_str(self.of(&["N1", "N2", "S1"])),
                (_, true) => out.push_str(self.of(&["a", "b", "p"])),
                (_, false) => out.push_str(self.value()),
            }
            rest = &rest[at + 1..];
        }
        out.push_str(rest);
        let block = out.starts_with("container") || out.starts_with("open");
        let (safe, sensitive, risk) = (
            clauses.contains("safe") && !out.starts_with("safe"),
            clauses.contains("sensitive"),
            clauses == "risk",
        );
        let own_safe = out.strip_prefix("safe ").map(str::to_owned);
        let bare = own_safe.clone().unwrap_or(out);
        let mut line = String::new();
        if safe || own_safe.is_some() {
            line.push_str("safe ");
        }
        if sensitive && !block {
            line.push_str("sensitive ");
        }
        line.push_str(&bare);
        // A call takes none.
        if risk && !block && !bare.starts_with('#') {
            line.push_str(" with risk");
        }
        line.push('\n');
        line
    }

    fn placed(
        &mut self,
        (name, place, clauses): (&'static str, &'static str, &'static str),
    ) -> String {
        self.made.insert((name, place, clauses));
        let template = COMMANDS.iter().find(|one| one.0 == name).expect("known").1;
        let inner = self.statement(template, clauses);
        let secret = self.of(&[
            "@s is 'first-secret-value'",
            "@s > '5'",
            "@t contains 'o'",
            "@s is @t",
            "@a is 'a'",
        ]);
        let safe = self.of(&["", "", "safe "]);
        match place {
            "top" => inner,
            "if" => format!("if @p is 'public'\n{inner}end\n"),
            "else" => format!("if 1 is 2\nsay 'never'\nelse\n{inner}end\n"),
            "secret-if" => format!("{safe}sensitive if {secret}\n{inner}end\n"),
            "secret-else" => {
                format!(
                    "{safe}sensitive if {secret}\n'y' into @b\nelse if @t is ''\n'z' into @b\nelse\n{inner}end\n"
                )
            }
            "function" => {
                let number = self.functions.matches("function").count();
                self.functions.push_str(&format!(
                    "function #made{number}\nsafe parameter 1 into @b\n{inner}success @a\nend\n"
                ));
                let argument = self.value();
                format!("{safe}#made{number} {argument} into @a\n")
            }
            "repeat" => format!("repeat 2\n{inner}end\n"),
            "secret-repeat" => {
                format!(
                    "text length @t into @n\nmath mod @n 3 into @n\n{safe}sensitive repeat @n\n{inner}end\n"
                )
            }
            "while" => format!("0 into @w\nwhile @w < 2\nincrease @w\n{inner}end\n"),
            "iterate" => {
                let sensitive = self.of(&["", "sensitive "]);
                format!("{safe}{sensitive}iterate ::c as @i\n{inner}end\n")
            }
            _ => {
                // One that says `sensitive` would make `sensitive … with risk` of it.
                let cluster = match clauses {
                    "risk" => "safe",
                    _ => self.of(&["safe", "sensitive", "safe sensitive"]),
                };
                format!("{cluster}\n{inner}end\n")
            }
        }
    }
}
