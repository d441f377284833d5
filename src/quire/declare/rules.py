"""Who may: a rule is asked with an actor and answers yes, no, or the SQL of the rows it holds for.

SQL answers use only the bound names `actor_id` and `now` (declare/sql.py), so that a statement is
built once for each role and serves every actor and every moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import and_, false, or_
from sqlalchemy.sql.elements import ColumnElement

from quire.actor import Actor
from quire.declare.sql import ACTOR_ID

Condition = ColumnElement[bool]
Answer = bool | Condition


def required(answer: Answer) -> list[Condition]:
    """What rows must meet where a rule has answered: nothing for yes, for no what none can."""
    if answer is True:
        return []
    return [false() if answer is False else answer]


@dataclass(frozen=True)
class Rule:
    """A question with its words: `words` completes the sentence "This needs ...".

    The answer depends on the actor's role and scopes alone and is kept, unless the rule is not
    `lasting`. `scope` is what an API key must have as well (None: no key may), where `by_scope`.
    `parts` are the rules that it is combined of, with the word between them.
    """

    answer: Callable[[Actor], Answer]
    words: str
    lasting: bool = True
    by_scope: bool = False
    scope: str | None = None
    parts: tuple["Rule", ...] = ()
    between: str = ""
    _kept: dict[Any, Answer] = field(default_factory=dict, compare=False, repr=False)

    def __call__(self, actor: Actor) -> Answer:
        if actor.is_system:
            return True
        if self.by_scope and not actor.has_scope(self.scope):
            return False
        if not self.lasting:
            return self.answer(actor)
        key = actor.role, actor.user_id is None, actor.scopes
        if key not in self._kept:
            self._kept[key] = self.answer(actor.typical)
        return self._kept[key]

    def missing(self, actor: Actor) -> str:
        """What the actor lacks, to complete "This needs ..."."""
        if not self.by_scope or actor.has_scope(self.scope):
            return self.words
        return f"the scope {self.scope}" if self.scope else "a sign-in: API keys may not do this"

    def condition(self, actor: Actor) -> str:
        """The words of what the answer hangs on for this actor, when it is neither yes nor no."""
        hanging = (one for one in self.parts if not isinstance(one(actor), bool))
        return self.between.join(one.condition(actor) for one in hanging) or self.words


ANYONE = Rule(lambda actor: True, "nothing")
NOBODY = Rule(lambda actor: False, "the program itself")
SIGNED_IN = Rule(lambda actor: not actor.is_anonymous, "a sign-in")


def role(name: str) -> Rule:
    """Actors whose role is `name` or a higher one."""
    return Rule(lambda actor: actor.at_least(name), f"the role {name}")


def only(*names: str) -> Rule:
    """Actors whose role is exactly one of `names`."""
    return Rule(lambda actor: actor.role in names, f"the role {' or '.join(names)}")


def owner(column: Any) -> Rule:
    """Rows whose `column` holds the id of the one who asks."""
    return Rule(
        lambda actor: False if actor.user_id is None else column == ACTOR_ID, "to be the owner"
    )


def where(condition: Callable[[], Condition], words: str) -> Rule:
    """Rows for which `condition()` holds, whoever asks."""
    return Rule(lambda actor: condition(), words)


def any_of(*rules: Rule) -> Rule:
    """One of the rules is enough."""

    def answer(actor: Actor) -> Answer:
        answers = [rule(actor) for rule in rules]
        if any(one is True for one in answers):
            return True
        conditions = [one for one in answers if not isinstance(one, bool)]
        return or_(*conditions) if conditions else False

    return _combined(answer, " or ", rules)


def all_of(*rules: Rule) -> Rule:
    """Every rule must hold."""

    def answer(actor: Actor) -> Answer:
        answers = [rule(actor) for rule in rules]
        if any(one is False for one in answers):
            return False
        conditions = [one for one in answers if not isinstance(one, bool)]
        return and_(*conditions) if conditions else True

    return _combined(answer, " and ", rules)


def within(scope: str | None, rule: Rule) -> Rule:
    """`rule`, for who proves himself by an API key only with `scope`; None: not by a key at all."""
    return rule if rule is NOBODY else replace(rule, by_scope=True, scope=scope, _kept={})


def _combined(answer: Callable[[Actor], Answer], word: str, rules: tuple[Rule, ...]) -> Rule:
    words = word.join(rule.words for rule in rules)
    lasting = all(rule.lasting for rule in rules)
    return Rule(answer, words, lasting, parts=rules, between=word)
