//! Lists and maps.

use std::collections::HashMap;
use std::rc::Rc;

use subrosa_egress::feather::{Fault, FaultKind, Operation, PUBLIC_LIMIT, SENSITIVE_LIMIT};

use super::value::{Taint, Value, compute};

/// Most members of one container.
pub(crate) const MEMBERS: usize = 100_000;
/// Most bytes of public text in one container, and in those within it.
pub(crate) const BYTES: usize = 64 << 20;
/// Containers within each other.
pub(crate) const NESTED: usize = 64;

/// What stands in a container.
#[derive(Debug, Clone)]
pub(crate) enum Member {
    Text(Value),
    Container(Rc<Container>),
}

impl Member {
    fn taint(&self) -> Option<Taint> {
        match self {
            Self::Text(value) => value.taint(),
            Self::Container(container) => container.taint.clone(),
        }
    }

    /// How much public text it comes to, in bytes, with the comma and the blank behind it: secrets
    /// have limits of their own, and how long one is shows in nothing.
    fn bytes(&self) -> usize {
        let text = match self {
            Self::Text(text) => bytes(text),
            Self::Container(container) => container.bytes,
        };
        text.saturating_add(2)
    }

    /// As text; see [`Container::text`].
    pub(crate) fn text(&self) -> Result<Value, Fault> {
        match self {
            Self::Text(value) => Ok(value.clone()),
            Self::Container(container) => container.text(),
        }
    }

    /// The same, deriving from `taint` as well.
    pub(crate) fn tainted(self, taint: Option<&Taint>) -> Result<Self, Fault> {
        match (self, taint) {
            (Self::Text(value), taint) => value.tainted(taint).map(Self::Text),
            (Self::Container(container), None) => Ok(Self::Container(container)),
            (Self::Container(mut container), Some(taint)) => {
                Rc::make_mut(&mut container).add_taint(taint);
                Ok(Self::Container(container))
            }
        }
    }
}

/// A list, or a map whose members have keys; one is both until it has a member.
#[derive(Debug, Clone, Default)]
pub(crate) struct Container {
    keys: Vec<Value>,
    members: Vec<Member>,
    /// Where public keys are.
    index: HashMap<Rc<str>, usize>,
    /// Bytes of public text in it.
    bytes: usize,
    /// Containers within each other in it.
    depth: usize,
    /// What it derives from if any member, or that there is one, is a secret.
    pub(crate) taint: Option<Taint>,
}

/// Why a container does not do it.
#[derive(Debug)]
pub(crate) enum Unfit {
    Fault(Fault),
    /// There are as many members as there may be; what it derives from that there would be more.
    Full(Option<Taint>),
    /// There would be more text than there may be; what that derives from.
    TooLong(Option<Taint>),
    /// There would be more containers within each other than there may be; what that derives from.
    TooDeep(Option<Taint>),
    /// A map was taken for a list.
    NoList,
    /// A list was taken for a map.
    NoMap,
}

impl From<Fault> for Unfit {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Container {
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn is_map(&self) -> bool {
        !self.keys.is_empty()
    }

    pub(crate) fn add_taint(&mut self, taint: &Taint) {
        self.taint = Some(match self.taint.take() {
            Some(before) => before.and(taint),
            None => taint.clone(),
        });
    }

    fn note(&mut self, taint: Option<Taint>) {
        if let Some(taint) = taint {
            self.add_taint(&taint);
        }
    }

    /// Counts what comes in, with so many bytes beside it, for so many that go.
    fn make_room(&mut self, member: &Member, beside: usize, gone: usize) -> Result<(), Unfit> {
        let bytes = self.bytes.saturating_sub(gone);
        let bytes = bytes.saturating_add(member.bytes()).saturating_add(beside);
        if bytes > BYTES {
            return Err(Unfit::TooLong(self.taint.clone()));
        }
        if let Member::Container(within) = member {
            if within.depth + 1 == NESTED {
                return Err(Unfit::TooDeep(self.taint.clone()));
            }
            self.depth = self.depth.max(within.depth + 1);
        }
        self.bytes = bytes;
        Ok(())
    }

    /// Adds a member to a list.
    pub(crate) fn add(&mut self, member: Member) -> Result<(), Unfit> {
        if self.is_map() {
            return Err(Unfit::NoList);
        }
        if self.members.len() == MEMBERS {
            return Err(Unfit::Full(self.taint.clone()));
        }
        self.note(member.taint());
        self.make_room(&member, 0, 0)?;
        self.members.push(member);
        Ok(())
    }

    /// Sets a member of a map.
    pub(crate) fn set(&mut self, key: Value, member: Member) -> Result<(), Unfit> {
        if !self.is_map() && !self.members.is_empty() {
            return Err(Unfit::NoMap);
        }
        self.note(key.taint());
        self.note(member.taint());
        if let Some(at) = self.find(&key)? {
            let gone = self.members[at].bytes();
            self.make_room(&member, 0, gone)?;
            self.members[at] = member;
            return Ok(());
        }
        if self.members.len() == MEMBERS {
            return Err(Unfit::Full(self.taint.clone()));
        }
        self.make_room(&member, bytes(&key), 0)?;
        if let Value::Public(key) = &key {
            self.index.insert(Rc::clone(key), self.members.len());
        }
        self.keys.push(key);
        self.members.push(member);
        Ok(())
    }

    /// Where the member with this key is; an index in a list.
    pub(crate) fn find(&self, key: &Value) -> Result<Option<usize>, Fault> {
        if !self.is_map() {
            let at = key.count().and_then(|at| usize::try_from(at).ok());
            return Ok(at.filter(|at| *at < self.members.len()));
        }
        if let Value::Public(key) = key
            && let Some(at) = self.index.get(key)
        {
            return Ok(Some(*at));
        }
        if key.secret().is_none() && self.index.len() == self.keys.len() {
            return Ok(None);
        }
        for (at, other) in self.keys.iter().enumerate() {
            let is_public = other.secret().is_none() && key.secret().is_none();
            if !is_public && same(other, key)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The member with this key, deriving from the container.
    pub(crate) fn get(&self, key: &Value) -> Result<Option<Member>, Fault> {
        let Some(at) = self.find(key)? else {
            return Ok(None);
        };
        let member = self.members[at].clone().tainted(self.taint.as_ref())?;
        member.tainted(key.taint().as_ref()).map(Some)
    }

    /// Takes out the first member of a list that is the same text; of a map, the one with that key.
    /// Returns whether there was one.
    pub(crate) fn remove(&mut self, value: &Value) -> Result<bool, Fault> {
        self.note(value.taint());
        let mut place = None;
        if self.is_map() {
            place = self.find(value)?;
        } else {
            for (at, member) in self.members.iter().enumerate() {
                if let Member::Text(text) = member
                    && same(text, value)?
                {
                    place = Some(at);
                    break;
                }
            }
        }
        let Some(at) = place else {
            return Ok(false);
        };
        self.bytes -= self.members.remove(at).bytes();
        if self.is_map() {
            self.bytes -= bytes(&self.keys.remove(at));
            self.index = (self.keys.iter().enumerate())
                .filter_map(|(at, key)| match key {
                    Value::Public(key) => Some((Rc::clone(key), at)),
                    Value::Secret(_) => None,
                })
                .collect();
        }
        Ok(true)
    }

    /// Takes in the members of another map.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Unfit> {
        if !other.is_map() && !other.members.is_empty() {
            return Err(Unfit::NoMap);
        }
        self.note(other.taint.clone());
        for (key, member) in other.keys.iter().zip(&other.members) {
            self.set(key.clone(), member.clone())?;
        }
        Ok(())
    }

    /// The number of members.
    pub(crate) fn length(&self) -> Result<Value, Fault> {
        Value::public(&self.members.len().to_string()).tainted(self.taint.as_ref())
    }

    /// The members, with a separator between them.
    pub(crate) fn join(&self, separator: &Value) -> Result<Value, Fault> {
        // Before all of it is put together: containers within each other say much more than they
        // take.
        if self.bytes.saturating_sub(2 * self.members.len()) > PUBLIC_LIMIT {
            let limit = match &self.taint {
                None => PUBLIC_LIMIT,
                Some(_) => SENSITIVE_LIMIT,
            };
            return Err(Fault {
                what: "a container",
                kind: FaultKind::TooLong { limit },
            });
        }
        let texts: Vec<Value> = self
            .members
            .iter()
            .map(Member::text)
            .collect::<Result<_, _>>()?;
        let inputs: Vec<&Value> = std::iter::once(separator).chain(&texts).collect();
        compute(Operation::Join, &inputs, None)?.tainted(self.taint.as_ref())
    }

    /// The members, with a comma and a blank between them.
    pub(crate) fn text(&self) -> Result<Value, Fault> {
        self.join(&Value::public(", "))
    }

    /// Whether there is such a text among the members.
    pub(crate) fn contains(&self, value: &Value) -> Result<Value, Fault> {
        let mut is_there = false;
        for member in &self.members {
            is_there |= same(&member.text()?, value)?;
        }
        Value::public(if is_there { "true" } else { "false" })
            .tainted(self.taint.as_ref())?
            .tainted(value.taint().as_ref())
    }
}

/// Bytes of a public text.
fn bytes(text: &Value) -> usize {
    match text {
        Value::Public(text) => text.len(),
        Value::Secret(_) => 0,
    }
}

/// Whether two texts are the same. Of secrets, whoever asks has to taint what comes of it.
fn same(one: &Value, other: &Value) -> Result<bool, Fault> {
    if let (Value::Public(one), Value::Public(other)) = (one, other) {
        return Ok(one == other);
    }
    let order = compute(Operation::Compare, &[one, other], None)?;
    let is_same = compute(Operation::Is, &[&order, &Value::public("0")], None)?;
    Ok(is_same.decide().unwrap_or(false))
}
