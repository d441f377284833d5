"""The statements of a search: FTS5 on SQLite, tsvector on PostgreSQL.

A search finds the newest MAX_HITS records of a type that match, and ranks the newest MAX_RANKED of these. If there
are more matches, none is ranked, since `bm25` reads all records with the words.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Boolean, Integer, bindparam, select, text
from sqlalchemy.types import Float

from quire.declare.record import Record
from quire.store.search.documents import MAX_ID, SearchDocument, document_id, type_term
from quire.store.search.terms import fts5_query, query_terms, tsquery

MAX_HITS = 10_000
MAX_RANKED = 2_000
"""Ranking costs more than everything else about a match. Unranked matches follow, newest first."""


SAMPLE = 2_000
"""On PostgreSQL, the number of newest records from which the number of matches is estimated."""
FREQUENT, AMONG = 50, 500
"""If this many of the newest records match, PostgreSQL scans records one by one, since its word index would yield all
matches.
"""
WALKED = 12
"""This many records are scanned per counted match, before the word index is used after all."""
Values = dict[str, Any]


def expression(words: str, dialect: str, whole: bool = False) -> str:
    """Return what a person has typed as an expression of the search engine, whose syntax cannot be entered.

    All words must occur; unless `whole`, the last one may be the beginning of a longer word.
    """
    terms = query_terms(words)
    terms = [one._replace(prefix=False) for one in terms] if whole else terms
    return fts5_query(terms) if dialect == "sqlite" else tsquery(terms)


def prefer_whole_words(
    values: Values,
    words: str,
    dialect: str,
    count: Callable[[Values], int],
    last_count: Callable[[Values], int],
) -> None:
    """Make `values` search for whole words only, if `count` returns more matches of these than a search finds.

    Longer words would add nothing, and collecting them takes longer the more records there are. If `last_count`
    returned many, they are not counted again after each change.
    """
    whole = values | {"search": expression(words, dialect, whole=True)}
    if whole == values or (last_count(values) <= MAX_HITS and count(values) <= MAX_HITS):
        return
    if count(whole) > MAX_HITS:
        values["search"] = whole["search"]


_MATCHES = {
    "sqlite": "SELECT {last} - rowid AS record_id, {rank} AS rank "
    "FROM search_index WHERE search_index MATCH :search AND rowid BETWEEN {first} AND {last} "
    "ORDER BY search_index.rowid LIMIT {depth}",
    # an index by word is best for few matches, one by record for the newest of many:
    # PostgreSQL runs the one that the number of matches leaves
    "postgresql": "SELECT record_id, {rank} AS rank FROM search_documents "
    "WHERE words @@ {query} AND :hits_{type} <= {limit}{within} "
    "UNION ALL SELECT record_id, {rank_of_many} FROM ("
    "SELECT record_id, words FROM search_documents WHERE type = '{type}' AND words @@ {search} "
    "AND :hits_{type} = {limit} + 1 ORDER BY record_id DESC LIMIT {depth}) AS newest "
    # with very many, its planner would collect all and sort them
    "UNION ALL SELECT record_id, {rank_of_many} FROM ("
    "SELECT record_id, words FROM search_documents WHERE type = '{type}' AND (words @@ {search}) IS TRUE "
    "AND :hits_{type} > {limit} + 1 ORDER BY record_id DESC LIMIT {depth}) AS newest",
}
_IS_RANKED = {
    "sqlite": "rowid < {last} - :unranked_{type}",
    "postgresql": "record_id > :unranked_{type}",
}
# of many matches, all those considered at first are ranked
_IS_RANKED_OF_MANY = (
    "(:depth <= {ranked} OR record_id > (SELECT record_id FROM search_documents WHERE "
    "type = '{type}' AND words @@ {search} ORDER BY record_id DESC LIMIT 1 OFFSET {ranked}))"
)
_RANK = {
    "sqlite": "CASE WHEN {is_ranked} THEN CASE WHEN :ranking "
    "THEN bm25(search_index, 10.0, 1.0) ELSE -1.0 END ELSE 0.0 END",
    "postgresql": "CASE WHEN {is_ranked} THEN CASE WHEN :ranking "
    "THEN -ts_rank(words, {search})::float8 ELSE -1.0::float8 END ELSE 0.0::float8 END",
}
_NO_RANK = {"sqlite": "0.0", "postgresql": "0.0::float8"}
_HITS = {
    "sqlite": "SELECT count(*) AS hits, coalesce((SELECT {last} - rowid FROM search_index "
    "WHERE search_index MATCH :search AND rowid BETWEEN {first} AND {last} "
    "ORDER BY search_index.rowid LIMIT 1 OFFSET {ranked}), 0) AS unranked "
    "FROM (SELECT 1 FROM search_index WHERE search_index MATCH :search "
    "AND rowid BETWEEN {first} AND {last} LIMIT {limit} + 1)",
    "postgresql": "WITH newest AS (SELECT count(*) >= {frequent} AS are_hits FROM ("
    "SELECT words FROM search_documents WHERE type = '{type}' ORDER BY record_id DESC LIMIT {among}) AS newest "
    "WHERE words @@ {search}), walked AS MATERIALIZED (SELECT record_id FROM ("
    "SELECT record_id, words FROM search_documents WHERE type = '{type}' AND (SELECT are_hits FROM newest) "
    "ORDER BY record_id DESC LIMIT {walked} * {limit}) AS newest WHERE words @@ {search} LIMIT {limit} + 1), "
    "very_many AS (SELECT count(*) > {limit} AS are_hits FROM walked) "
    "SELECT count(*) + (SELECT are_hits::integer FROM very_many) AS hits, "
    "coalesce((array_agg(record_id ORDER BY record_id DESC))[{ranked} + 1], 0) AS unranked FROM ("
    "SELECT record_id FROM walked WHERE (SELECT are_hits FROM very_many) UNION ALL ("
    "SELECT record_id FROM search_documents WHERE words @@ {query} "
    "AND NOT (SELECT are_hits FROM very_many) LIMIT {limit} + 1)) AS hits",
}
_NEWEST_HITS = (
    "SELECT count(*) AS hits FROM (SELECT words FROM search_documents WHERE type = '{type}' "
    "ORDER BY record_id DESC LIMIT {sample}) AS newest WHERE words @@ {search}"
)
_IS_MATCH = {
    "sqlite": "quire_has_terms(document.title, document.body, :search)",
    "postgresql": "document.words @@ {query}",
}
_ALL_HITS = {
    "sqlite": "SELECT {last} - rowid FROM search_index WHERE search_index MATCH :search "
    "AND rowid BETWEEN {first} AND {last}",
    "postgresql": "SELECT record_id FROM search_documents WHERE words @@ {query}",
}


def _sql(template: str, record: Record, **parts: Any) -> str:
    last = document_id(record.path, 0)
    search = "CAST(:search AS tsquery)"
    return template.format(
        type=record.path, first=last - MAX_ID, last=last, limit=MAX_HITS, ranked=MAX_RANKED,
        search=search, frequent=FREQUENT, among=AMONG, walked=WALKED,
        query=f"(CAST('{type_term(record.path)}' AS tsquery) && {search})", **parts,
    )  # fmt: skip


def matches(record: Record, dialect: str, ranked: bool = True) -> Any:
    """Return a subquery of `record_id` and `rank` (lower is better) of the newest matches of `:search`.

    Unless `ranked`, all ranks are 0; otherwise `reaches` determines how many are found. The results of `count_hits`
    are passed by the names in `hit_values`.
    """
    statement = text(_sql(_MATCHES[dialect], record, **_rank_parts(record, dialect, ranked)))
    numbers = hit_values(record, 0, 0)
    if ranked:
        # in the text, so that PostgreSQL's planner knows them
        statement = statement.bindparams(
            bindparam("depth", type_=Integer, literal_execute=True),
            bindparam("ranking", type_=Boolean, literal_execute=True),
        )
    statement = statement.bindparams(
        *(bindparam(one, type_=Integer) for one in numbers if f":{one}" in statement.text)
    )
    return statement.columns(record_id=Integer(), rank=Float()).subquery("matches")


def _rank_parts(record: Record, dialect: str, ranked: bool) -> dict[str, Any]:
    """Return what a statement of _MATCHES contains about ranks and its extent."""
    if not ranked:
        rank = _NO_RANK[dialect]
        return {"rank": rank, "rank_of_many": rank, "within": "", "depth": MAX_HITS}
    few, many = (_sql(one, record) for one in (_IS_RANKED[dialect], _IS_RANKED_OF_MANY))
    rank, rank_of_many = (_sql(_RANK[dialect], record, is_ranked=one) for one in (few, many))
    within = f" AND (:depth > {MAX_RANKED} OR {few})"
    return {"rank": rank, "rank_of_many": rank_of_many, "within": within, "depth": ":depth"}


def reaches(among_ranked: bool, ranking: bool, hits: int) -> list[Values]:
    """Return the extents for ranked `matches`: the first to try, and another if that is too short.

    `among_ranked`: the wanted rows are probably ranked. Without `ranking`, ranked ones come first in any order: for
    skipping all of them, and if there are more `hits` than are found.
    """
    steps = [MAX_RANKED, MAX_HITS] if among_ranked else [MAX_HITS]
    ranking = ranking and hits <= MAX_HITS
    return [{"depth": depth, "ranking": ranking} for depth in steps]


def hits_name(record: Record) -> str:
    """Return the name under which statements get the number of matches."""
    return f"hits_{record.path}"


def hit_values(record: Record, hits: int, unranked: int) -> dict[str, int]:
    """Return what other statements need from the row that `count_hits` has returned."""
    return {hits_name(record): hits, f"unranked_{record.path}": unranked}


@cache
def count_hits(record: Record, dialect: str) -> Any:
    """Return a statement that counts the matches of `:search`, visible or not, up to MAX_HITS + 1 (one more if very
    many).

    It also returns the id of the newest one without a rank, 0 if all have one.
    """
    return text(_sql(_HITS[dialect], record)).columns(hits=Integer(), unranked=Integer())


@cache
def count_newest_hits(record: Record) -> Any:
    """Return a statement that counts the matches among the newest SAMPLE records, on PostgreSQL."""
    return text(_sql(_NEWEST_HITS, record, sample=SAMPLE)).columns(hits=Integer())


def is_match(record: Record, id: Any, dialect: str) -> Any:
    """Return whether the `record` with this id matches `:search`, judging by its document."""
    document = SearchDocument.__table__.alias("document")
    match: Any = text(_sql(_IS_MATCH[dialect], record))
    own = [document.c.type == record.path, document.c.record_id == id]
    own = [document.c.id == document_id(record.path, 0) - id] if dialect == "sqlite" else own
    return select(match).select_from(document).where(*own).scalar_subquery()


def is_hit(record: Record, id: Any, dialect: str) -> Any:
    """Return the same, judging by the ids of all matches, which are collected first."""
    # not just IN, which PostgreSQL would join in an order of its own
    return id.in_(text(_sql(_ALL_HITS[dialect], record)).columns(id=Integer())).is_(True)
