"""Permission rules: a rule takes an actor and answers yes, no, or an SQL condition for the rows it allows.

SQL answers use only the bound names of `rule_params` (declare/sql_functions.py), so that a statement is built once
for each role and serves every actor at any time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from sqlalchemy import and_, false, or_
from sqlalchemy.sql.elements import ColumnElement

from quire.actor import Actor
from quire.declare.clock import now
from quire.declare.sql_functions import ACTOR_ID
from quire.errors import PermissionDenied, Problem, Unauthenticated
from quire.translations.messages import Message

Condition = ColumnElement[bool]
Answer = bool | Condition
AND, OR = " and ", " or "


def row_conditions(answer: Answer) -> list[Condition]:
    """Return the conditions for rows after a rule's answer: none for yes, for no one that is never true."""
    if answer is True:
        return []
    return [false() if answer is False else answer]


def rule_params(actor: Actor) -> dict[str, Any]:
    """Return the values of the names that rules use."""
    return {"actor_id": actor.user_id, "session_id": actor.session_id, "now": now()}


class ShownBy(Protocol):
    """The knowledge of a rule whose rows are visible because records of other types show them."""

    def condition(self) -> Condition:
        """Return the condition for rows that are shown by something now."""

    def shown_by(self, record: Any, where: Condition) -> Condition | None:
        """Return the rows that the given rows of `record` show; None if it shows none."""

    def affected_by(self, change: Any) -> Condition | None:
        """Return the rows that a record starts or stops showing with a change; None if there are none."""


@dataclass(frozen=True)
class Rule:
    """A permission: `answer` decides, and `needs` completes the sentence "This requires ...".

    The answer depends on the actor's role alone and is cached, unless the rule is not `cacheable` or looks at
    `any_scope`. `scope` is what an API key must have as well (None: no key may), if `by_scope`. `parts` are the
    rules that it combines, with `conjunction` between their texts. `owner_column` contains the id of the owner;
    `reference` is a column that refers to a record, with that record's table and the verb whose rule decides;
    `shows` knows which rows are visible because others show them.
    """

    answer: Callable[[Actor], Answer]
    needs: str
    cacheable: bool = True
    any_scope: bool = False
    by_scope: bool = False
    scope: str | None = None
    parts: tuple["Rule", ...] = ()
    conjunction: str = ""
    owner_column: Any = None
    reference: tuple[Any, str, str] | None = None
    shows: ShownBy | None = None
    _cached_answers: dict[Actor, Answer] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, actor: Actor) -> Answer:
        if actor.is_system:
            return True
        if self.by_scope and not actor.has_scope(self.scope):
            return False
        if not self.cacheable:
            return self.answer(actor)
        cache_key = actor.cache_key_actor_for(self.scopes)
        if self.scopes is None:
            return self.answer(cache_key)
        answer = self._cached_answers.get(cache_key)
        if answer is None:
            answer = self._cached_answers[cache_key] = self.answer(cache_key)
        return answer

    @cached_property
    def scopes(self) -> frozenset[str] | None:
        """The scopes that it depends on, None for all: other scopes do not change its answer."""
        own = {self.scope} if self.by_scope and self.scope else set()
        return None if self.any_scope else scopes_of(self.parts, own)

    def walk(self) -> Iterator["Rule"]:
        """Return this rule and all those that it combines."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def unmet(self, actor: Actor) -> Message:
        """Return what the actor lacks, to complete "This requires ..."."""
        if not self.by_scope or actor.has_scope(self.scope):
            return self.message()
        if self.scope:
            return Message("the scope %(scope)s", scope=self.scope)
        return Message("a signed-in user: API keys cannot do this")

    def message(self) -> Message:
        """Return `needs` as a translatable message."""
        messages = [one.message() for one in self.parts]
        return alternatives(messages, self.conjunction) or Message(self.needs)

    def condition(self, actor: Actor) -> Message:
        """Return the condition for this actor if the answer is neither yes nor no: "they own it"."""
        messages = [one.condition(actor) for one in self.parts if not isinstance(one(actor), bool)]
        return alternatives(messages, self.conjunction) or Message(in_third_person(self.needs))


def in_third_person(needs: str) -> str:
    """Return what a rule needs in the third person: `they own it` for `that you own it`."""
    words = needs.removeprefix("that ").split()
    return " ".join("they" if word == "you" else word for word in words)


def alternatives(messages: Sequence[Message], conjunction: str) -> Message | None:
    """Return several conditions as one; None if there are none."""
    if len(messages) < 2:
        return messages[0] if messages else None
    rest = alternatives(messages[1:], conjunction)
    if conjunction == AND:
        return Message("%(first)s and %(rest)s", first=messages[0], rest=rest)
    return Message("%(first)s or %(rest)s", first=messages[0], rest=rest)


def scopes_of(rules: Iterable[Rule], more: Iterable[str] = ()) -> frozenset[str] | None:
    """Return the scopes that some rules depend on, and `more`; None for all."""
    scopes = set(more)
    for rule in rules:
        if rule.scopes is None:
            return None
        scopes |= rule.scopes
    return frozenset(scopes)


ANYONE = Rule(lambda actor: True, "nothing")
NOBODY = Rule(lambda actor: False, "the system itself")
SIGNED_IN = Rule(lambda actor: not actor.is_anonymous, "that you are signed in")


def role(name: str) -> Rule:
    """Allow actors whose role is `name` or a higher one."""
    return Rule(lambda actor: actor.at_least(name), f"the {name} role")


def owner(column: Any) -> Rule:
    """Allow rows whose `column` contains the actor's id."""
    return Rule(
        lambda actor: False if actor.user_id is None else column == ACTOR_ID,
        "that you own it",
        owner_column=column,
    )


def where(condition: Callable[[], Condition], needs: str) -> Rule:
    """Allow rows that meet `condition()`, for any actor."""
    return Rule(lambda actor: condition(), needs)


def shown_by(shows: ShownBy, needs: str) -> Rule:
    """Allow rows that records of other types show."""
    return Rule(lambda actor: shows.condition(), needs, shows=shows)


def any_of(*rules: Rule) -> Rule:
    """Require one of the rules."""

    def answer(actor: Actor) -> Answer:
        answers = [rule(actor) for rule in rules]
        if any(one is True for one in answers):
            return True
        conditions = [one for one in answers if not isinstance(one, bool)]
        return or_(*conditions) if conditions else False

    return _combine(answer, OR, rules)


def all_of(*rules: Rule) -> Rule:
    """Require all rules."""

    def answer(actor: Actor) -> Answer:
        answers = [rule(actor) for rule in rules]
        if any(one is False for one in answers):
            return False
        conditions = [one for one in answers if not isinstance(one, bool)]
        return and_(*conditions) if conditions else True

    return _combine(answer, AND, rules)


def scoped(scope: str | None, rule: Rule) -> Rule:
    """Apply `rule`; an API key also needs `scope`; None: keys are refused."""
    return rule if rule is NOBODY else replace(rule, by_scope=True, scope=scope, _cached_answers={})


def _combine(answer: Callable[[Actor], Answer], word: str, rules: tuple[Rule, ...]) -> Rule:
    needs = word.join(rule.needs for rule in rules)
    cacheable = all(rule.cacheable for rule in rules)
    return Rule(answer, needs, cacheable, parts=rules, conjunction=word)


def require_possible(rule: Rule, actor: Actor) -> None:
    """Refuse actors whom the rule never allows. Raises Unauthenticated or PermissionDenied."""
    if rule(actor) is False:
        raise refusal(rule, actor)


def refusal(rule: Rule, actor: Actor) -> Problem:
    """Return the error for an actor whom a rule refuses: to sign in, or what is missing."""
    if actor.is_anonymous:
        return Unauthenticated("Sign in to do this.")
    return PermissionDenied(requires(rule.unmet(actor)))


def requires(needs: Message) -> Message:
    """Return the sentence of a refusal."""
    return Message("This requires %(needs)s.", needs=needs)
