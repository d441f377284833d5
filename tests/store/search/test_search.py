"""Search finds the same on both databases, and reads no more rows than its limits allow."""

import re

import pytest
from sqlalchemy import select

from quire.actor import ANONYMOUS, SYSTEM
from quire.declare.clock import now
from quire.declare.query import Query
from quire.declare.record import REGISTRY
from quire.records import COMMENTS, PAGES, POSTS
from quire.store import global_search as search
from quire.store import read
from quire.store.db import db
from quire.store.lists import page_rows, search_extent
from quire.store.lists import statements as select_statements
from quire.store.search import documents as search_documents
from quire.store.search import search_index
from quire.store.write import act, create_many, delete, update
from tests.query_plans import query_plans, sqlite_steps
from tests.site.conftest import sign_in

PAST = "2026-01-01T00:00:00Z"
BODY = (
    "TCP/IP and/or node.js in /usr/local, see example.org, Python 3.11 of 2024-05-06, Café, "
    "ann@example.org, README.md, 978-3-16-148410-0, 今日は天気がいい, ภาษาไทยง่าย, 날씨가, Straße 👍"
)


def titles(query, record=POSTS, actor=ANONYMOUS, **more):
    rows = read.list_records(record, actor, Query(search=query, per_page=100, **more)).rows
    return [row[record.title_field] for row in rows]


@pytest.fixture
def visitor(app, people):
    """`visitor("mod")`: a browser with mod's session; `visitor(None)`: an anonymous one."""
    return lambda name: sign_in(app, name)


@pytest.fixture
def one_post(app, make, people):
    make(POSTS, title="a", body=BODY, author=people["ann"].id, published_at=PAST)
    make(POSTS, title="b", body="nothing of that", author=people["ann"].id, published_at=PAST)


@pytest.mark.parametrize(
    "query",
    ["TCP/IP", "tcp", "and/or", "node.js", "node", "js", "local", "/usr/local", "example.org",
     "3.11", "2024-05-06", "cafe", "CAFÉ", "Cafe\u0301", "ann@example.org", "README.md",
     "978-3-16-148410-0", "天気", "今日", "天", "いい", "ไทย", "날씨", "strasse", "👍", "Pyth"],
)  # fmt: skip
def test_every_interface_finds_each_kind_of_term(as_, visitor, one_post, query):
    asked = {"q": query}
    assert [one["title"] for one in as_(None).get("posts", query_string=asked).json["posts"]] == [
        "a"
    ]
    results = as_(None).get("search", query_string=asked).json["results"]
    assert [one["title"] for one in results] == ["a"]
    assert "<mark>" in results[0]["snippet"]
    assert "<mark>" in visitor(None).get("/search", query_string=asked).text


def test_panel_finds_chinese_characters(visitor, one_post):
    text = visitor("mod").get("/admin/posts/", query_string={"search": "天気"}).text
    assert "1 post<" in text


def test_title_hits_rank_above_body_hits(app, make, people):
    ann = people["ann"].id
    for title, body in (("kite", "x"), ("x", "kite and wind"), ("x", "wind")):
        make(POSTS, title=title, body=body, author=ann, published_at=PAST)
    with app.app_context():
        assert titles("kite") == ["kite", "x"]


def test_search_document_follows_its_record(app, make, people):
    id = make(POSTS, title="kite", body="x", author=people["ann"].id, published_at=PAST)
    with app.app_context():
        update(POSTS, SYSTEM, id, {"title": "boat"})
        assert titles("kite") == [] and titles("boat") == ["boat"]
        delete(POSTS, SYSTEM, id, permanent=True)
        assert titles("boat") == []
        make(PAGES, title="boat", body="x", published_at=PAST)
        assert titles("boat") == [] and titles("boat", PAGES) == ["boat"]


@pytest.fixture(params=[50, 1], ids=["by the index of words", "looked through"])
def few_hits(request, app, people, monkeypatch):
    """Searches that rank and count only the newest 6 hits; 12 posts contain `sea`."""
    monkeypatch.setattr(search_index, "FREQUENT", request.param)
    monkeypatch.setattr(search_index, "MAX_HITS", 6)
    monkeypatch.setattr(search_index, "MAX_RANKED", 6)
    monkeypatch.setattr(search_extent, "MIN_RANKED", 3)
    _forget_statements()
    with app.app_context():
        author = people["ann"].id, people["abe"].id
        raws = [
            {"title": f"{'sea' if i in (1, 7) else 'x'} {11 - i:02}", "body": "sea",
             "author": author[i == 0], "published_at": f"2026-01-{i + 1:02}T00:00:00Z"}
            for i in range(12)
        ]  # fmt: skip
        create_many(POSTS, SYSTEM, raws)
    yield
    _forget_statements()


@pytest.fixture
def context(app):
    """The application context, for calls without a client."""
    with app.app_context():
        yield


def _forget_statements():
    plans = select_statements.list_plan, search_index.count_hits
    for cached in (*plans, search._statements, search._hits):
        cached.cache_clear()


def test_only_the_newest_of_many_hits_are_ranked(few_hits, context, monkeypatch):
    monkeypatch.setattr(search_index, "MAX_HITS", 12)
    _forget_statements()
    newest = ["sea 04", "x 00", "x 01", "x 02", "x 03", "x 05"]
    assert titles("sea")[:6] == newest
    assert [row["title"] for row in search.search(ANONYMOUS, Query(search="sea")).rows][
        :6
    ] == newest


def test_newest_hits_come_first_beyond_the_count_limit(few_hits, context):
    page = read.list_records(POSTS, ANONYMOUS, Query(search="sea"))
    assert [row["title"] for row in page.rows] == ["x 00", "x 01", "x 02", "x 03", "sea 04", "x 05"]
    assert (page.total, page.total_is_minimum, page.has_next) == (6, True, False)
    beyond = read.list_records(POSTS, ANONYMOUS, Query(search="sea", page=2, per_page=6))
    assert (beyond.rows, beyond.has_next) == ([], False)
    everywhere = search.search(ANONYMOUS, Query(search="sea"))
    assert (everywhere.total, everywhere.total_is_minimum) == (6, True)


@pytest.mark.parametrize(("limit", "walked", "total"), [(12, 12, 12), (11, 12, 11), (11, 1, 11)])
def test_hits_are_counted_exactly_up_to_the_limit(
    few_hits, context, monkeypatch, limit, walked, total
):
    """PostgreSQL may have scanned too few records before it uses the word index."""
    monkeypatch.setattr(search_index, "MAX_HITS", limit)
    monkeypatch.setattr(search_index, "WALKED", walked)
    _forget_statements()
    page = read.list_records(POSTS, ANONYMOUS, Query(search="sea"))
    everywhere = search.search(ANONYMOUS, Query(search="sea"))
    for found in (page, everywhere):
        assert (found.total, found.total_is_minimum) == (total, limit < 12)


@pytest.mark.parametrize(("limit", "longer"), [(6, False), (20, True)])
def test_longer_words_match_unless_the_word_exceeds_the_count_limit(
    few_hits, people, context, monkeypatch, limit, longer
):
    monkeypatch.setattr(search_index, "MAX_HITS", limit)
    _forget_statements()
    raw = {"title": "seaside", "body": "x", "published_at": PAST, "author": people["ann"].id}
    id = create_many(POSTS, SYSTEM, [raw])[0].id
    listed = read.list_records(POSTS, SYSTEM, Query(search="sea", per_page=20)).rows
    everywhere = search.search(SYSTEM, Query(search="sea", per_page=20)).rows
    assert (
        (id in [row["id"] for row in listed]) is (id in [row["id"] for row in everywhere]) is longer
    )


def test_prefix_hits_of_a_frequent_word_are_not_recounted(few_hits, people, context, statements):
    def counted(ask):
        raw = {"title": "x", "body": "sea", "published_at": PAST, "author": people["ann"].id}
        create_many(POSTS, SYSTEM, [raw])
        _, seen = statements(ask, SYSTEM, Query(search="sea"))
        return len([one for one in seen if "AS hits" in one])

    for ask in (lambda *given: read.list_records(POSTS, *given), search.search):
        assert [counted(ask), counted(ask)] == [2, 1]


@pytest.fixture
def few_ranked(few_hits, monkeypatch):
    """The same, with ranks only for the newest 3 hits: `x 00` has one, `sea 04` has none."""
    monkeypatch.setattr(search_index, "MAX_RANKED", 3)
    _forget_statements()


RANKED_FIRST = ["x 00", "x 01", "x 02", "x 03", "sea 04", "x 05"]


def test_unranked_hits_follow_newest_first(few_ranked, context):
    assert titles("sea") == RANKED_FIRST
    assert [row["title"] for row in search.search(ANONYMOUS, Query(search="sea")).rows] == [
        *RANKED_FIRST
    ]
    page = read.list_records(POSTS, ANONYMOUS, Query(search="sea", per_page=2))
    assert (page.total, page.total_is_minimum, page.has_next) == (6, True, True)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_pages_continue_from_ranked_to_unranked_hits(as_, few_ranked, size):
    for path, key in (("posts", "posts"), ("search", "results")):
        pages = [
            [
                one["title"]
                for one in as_(None).get(f"{path}?q=sea&per_page={size}&page={n}").json[key]
            ]
            for n in range(1, 7)
        ]
        assert [title for page in pages for title in page] == RANKED_FIRST


@pytest.mark.parametrize("query", ["sea", "s", "sea 0"])
def test_cursors_cross_from_ranked_to_unranked_hits_and_back(as_, few_ranked, query):
    whole = as_(None).get("posts", query_string={"q": query}).json["posts"]
    answer = as_(None).get("posts", query_string={"q": query, "per_page": 2}).json
    there, back = [answer["posts"]], []
    while answer["next_cursor"]:
        asked = {"q": query, "per_page": 2, "cursor": answer["next_cursor"]}
        answer = as_(None).get("posts", query_string=asked).json
        there.append(answer["posts"])
    while answer["prev_cursor"]:
        asked = {"q": query, "per_page": 2, "cursor": answer["prev_cursor"]}
        answer = as_(None).get("posts", query_string=asked).json
        back.insert(0, answer["posts"])
    assert [post for page in there for post in page] == whole
    assert back == there[:-1]


def test_filters_find_unranked_hits(as_, few_ranked, make, people, monkeypatch):
    monkeypatch.setattr(search_extent, "MIN_RANKED", 1)
    answer = as_(None).get("posts?q=sea&title__startswith=sea").json
    assert [post["title"] for post in answer["posts"]] == ["sea 04"]


def test_few_hits_are_counted_exactly(few_hits, context):
    page = read.list_records(POSTS, ANONYMOUS, Query(search="sea 04"))
    assert (page.total, page.total_is_minimum, len(page.rows)) == (1, False, 1)


def test_sort_order_covers_all_hits(few_hits, context):
    assert titles("sea", sort=("title",)) == sorted(titles("sea", sort=("title",)))
    assert len(titles("sea", sort=("title",))) == 12
    first, second = (
        read.list_records(
            POSTS, ANONYMOUS, Query(search="sea", sort=("-title",), per_page=4, page=number)
        )
        for number in (1, 2)
    )
    assert [row["title"] for row in first.rows + second.rows] == sorted(
        titles("sea", sort=("title",)), reverse=True
    )[:8]
    assert (first.total, first.total_is_minimum, first.has_next) == (6, True, True)


def test_filters_find_hits_older_than_the_newest(as_, few_hits):
    answer = as_(None).get("posts?q=sea&author.username=abe").json
    assert [post["title"] for post in answer["posts"]] == ["x 11"]
    assert answer["total"] == 1 and "total_is_minimum" not in answer


def test_deep_page_of_many_hits_takes_one_scan(as_, few_hits, statements, monkeypatch):
    monkeypatch.setattr(page_rows, "ROWS_AHEAD", 2)
    answer, sent = statements(as_(None).get, "posts?q=sea&sort=-published_at&per_page=2&page=3")
    assert len(answer.json["posts"]) == 2
    assert sum("in_order" in one for one in sent) == 1


def test_cursors_reach_all_hits(as_, few_hits):
    cursor, seen = "", []
    while cursor is not None:
        answer = as_(None).get(f"posts?q=sea&per_page=5&cursor={cursor}").json
        seen += [post["title"] for post in answer["posts"]]
        cursor = answer["next_cursor"]
    assert len(seen) == 12 == len(set(seen))


def test_cursor_continues_a_page(app, as_, few_hits):
    first = as_(None).get("posts?q=sea&per_page=4").json
    assert (first["total"], first["total_is_minimum"]) == (6, True)
    rest = as_(None).get(f"posts?q=sea&per_page=4&cursor={first['next_cursor']}").json
    with app.app_context():
        assert [post["title"] for post in first["posts"] + rest["posts"]] == titles("sea")
    assert rest["next_cursor"] is None


def test_minimum_totals_are_shown_with_a_plus(visitor, few_hits):
    assert "6+ posts" in visitor("mod").get("/admin/posts/?search=sea").text
    assert "6+ results" in visitor(None).get("/search?q=sea").text


def test_newest_of_thousands_of_hits_are_ranked(context, make, people):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("the order of FTS5 is meant")
    with db.engine.begin() as connection:
        for record in (POSTS, COMMENTS):
            rows = [
                search_documents.document(record.path, id, "sea", "", "sqlite")
                for id in range(1, 11_001)
            ]
            connection.exec_driver_sql(
                "INSERT INTO search_documents (id, type, record_id, title, body) "
                "VALUES (:id, :type, :record_id, :title, :body)",
                rows,
            )
        for record in (POSTS, COMMENTS):
            newest = select(search_index.matches(record, "sqlite").c.record_id)
            for word in ("sea", "se", "s"):
                whole = search_index.reaches(among_ranked=False, ranking=True, hits=0)[0]
                values = {"search": search_index.expression(word, "sqlite"), **whole}
                values |= search_index.hit_values(record, hits=11_000, unranked=9000)
                found = connection.execute(newest, values).scalars().all()
                assert sorted(found) == list(range(1001, 11_001))


@pytest.fixture
def two_thirds(context, people):
    """36 posts, of which `x 12` to `x 35` contain `sea`."""
    author = people["ann"].id
    raws = [
        {"title": f"x {i:02}", "body": "sea" if i > 11 else "dry", "author": author,
         "published_at": f"2026-{i // 28 + 1:02}-{i % 28 + 1:02}T00:00:00Z"}
        for i in range(36)
    ]  # fmt: skip
    create_many(POSTS, SYSTEM, raws)
    return [raw["title"] for raw in raws if raw["body"] == "sea"]


def _walks(statements):
    """Return the statements that scan the rows of a list in its order."""
    return [one for one in statements if "in_order" in one and "AS matches" not in one]


STORED_ORDERS = ["title", "slug", "published_at", "id"]


@pytest.mark.parametrize("sort", STORED_ORDERS)
@pytest.mark.parametrize("mark", ["", "-"])
def test_frequent_hits_are_found_at_the_head_of_a_sorted_list(
    as_, two_thirds, statements, sort, mark
):
    """If the head of the list has no hit (in ascending order), the hits are scanned."""
    expected = two_thirds[::-1] if mark else two_thirds
    for page in (1, 2):
        asked = f"posts?q=sea&sort={mark}{sort}&per_page=1&page={page}"
        answer, sent = statements(as_(None).get, asked)
        assert [post["title"] for post in answer.json["posts"]] == [expected[page - 1]]
        assert (answer.json["total"], answer.json["has_next"]) == (24, True)
        assert len(_walks(sent)) == 1
        if page == 1:  # then the total is known
            assert sum("AS matches" in one for one in sent) == (1 if mark else 2)


def test_rare_hits_are_not_searched_in_list_order(as_, two_thirds, statements):
    for asked in (
        "posts?q=sea&sort=title&per_page=10&page=4",
        "posts?q=sea&sort=-title&per_page=40",
    ):
        _, sent = statements(as_(None).get, asked)
        assert not _walks(sent)


@pytest.mark.parametrize("sort", [*STORED_ORDERS, "-title", "-published_at", "-id", "-views"])
def test_cursors_of_sorted_hits_work_in_both_directions(as_, two_thirds, sort):
    asked = f"posts?q=sea&sort={sort}&per_page=1&cursor="
    answer = as_(None).get(asked).json
    there, back = [answer["posts"][0]["title"]], []
    while answer["next_cursor"]:
        answer = as_(None).get(f"{asked}{answer['next_cursor']}").json
        there.append(answer["posts"][0]["title"])
    while answer["prev_cursor"]:
        answer = as_(None).get(f"{asked}{answer['prev_cursor']}").json
        back.append(answer["posts"][0]["title"])
    assert there == (two_thirds[::-1] if sort.startswith("-") else two_thirds)
    assert back == there[-2::-1]


def test_filtered_search_without_a_total_does_not_scan_the_head(as_, two_thirds, statements):
    asked = "posts?q=sea&sort=-title&per_page=1&count=none"
    for filtered, ahead in (("", 1), ("&views=0", 0)):
        answer, sent = statements(as_(None).get, asked + filtered)
        assert [post["title"] for post in answer.json["posts"]] == ["x 35"]
        assert len(_walks(sent)) == ahead


def test_hidden_records_are_neither_found_nor_counted(context, make, people):
    post = make(POSTS, title="p", body="x", author=people["ann"].id, published_at=PAST)
    shown, spam, _ = (
        make(COMMENTS, post=post, author=people["bob"].id, body="glue") for _ in "abc"
    )
    act(COMMENTS, SYSTEM, shown, "approve")
    act(COMMENTS, SYSTEM, spam, "spam")
    page = read.list_records(COMMENTS, ANONYMOUS, Query(search="glue"))
    assert ([row["id"] for row in page.rows], page.total) == ([shown], 1)


@pytest.fixture
def comments_with(context, people, make):
    """`comments_with(hits, spread)`: 4,000 comments, of which that many contain `glue`."""
    post = make(POSTS, title="p", body="x", author=people["ann"].id, published_at=PAST)

    def made(hits, spread):
        step = 4000 // hits if spread == "evenly" else 1
        chosen = set(range(1, hits * step + 1, step))
        rows = [
            {"id": i, "post_id": post, "author_name": "", "status": "approved", "version": 1,
             "body": "", "body_html": "", "created_at": now(), "updated_at": now()}
            for i in range(1, 4001)
        ]  # fmt: skip
        documents = [
            search_documents.document("comments", i, "", "glue" if i in chosen else "dry", "sqlite")
            for i in range(1, 4001)
        ]
        tables = COMMENTS.table, search_documents.SearchDocument.__table__
        with db.engine.begin() as connection:
            for table, values in zip(tables, (rows, documents), strict=True):
                connection.execute(table.delete())
                connection.execute(table.insert(), values)

    return made


@pytest.mark.parametrize("sort", ["status", "-created_at", "-id"])
@pytest.mark.parametrize("spread", ["evenly", "oldest"])
def test_cost_of_a_sorted_search_is_linear_in_its_hits(comments_with, sort, spread):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("SQLite tells how many instructions it runs")

    def steps(hits):
        comments_with(hits, spread)
        for page in (1, 30):
            query = Query(search="glue", sort=(sort,), page=page)
            read.list_records(COMMENTS, ANONYMOUS, query)  # the total is known then
            yield sqlite_steps(lambda query=query: read.list_records(COMMENTS, ANONYMOUS, query))

    # four times, plus the rows scanned in vain; quadratic cost would be sixteen times
    for few, many in zip(list(steps(500)), list(steps(2000)), strict=True):
        assert many <= 6 * max(few, 50)


SEARCHED = [record for record in REGISTRY.values() if record.search_fields]


@pytest.fixture
def explain(app):
    """`explain(call)`: the query plans of the call's search statements."""

    def explained(call):
        with app.app_context():
            return query_plans(db.engine, call, containing="search_")

    return explained


def _check(plan, table):
    if "VIRTUAL" in plan:
        assert "SCAN search_index VIRTUAL TABLE INDEX" in plan
        assert not re.search(rf"SCAN {table}\b|AUTOMATIC|SEARCH search_index", plan), plan
    else:
        assert "ix_search_documents_words" in plan or "search_documents_type_record_id" in plan, (
            plan
        )


@pytest.mark.parametrize("record", SEARCHED, ids=lambda record: record.path)
@pytest.mark.parametrize("actor", [SYSTEM, ANONYMOUS], ids=["all", "public"])
@pytest.mark.parametrize("sort", [(), ("-created_at",)], ids=["ranked", "sorted"])
def test_search_starts_from_matching_documents(app, explain, record, actor, sort):
    if record.allows(actor, "read") is False:
        pytest.skip("nobody may see it")
    query = Query(search="sea", sort=sort)
    for plan in explain(lambda: read.list_records(record, actor, query)):
        _check(plan, record.table.name)


@pytest.mark.parametrize("record", [POSTS, COMMENTS], ids=lambda record: record.path)
def test_hits_are_looked_up_in_a_covering_index(context, explain, record):
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL chooses by its statistics")
    plans = explain(lambda: read.list_records(record, ANONYMOUS, Query(search="sea")))
    looked_up = [plan for plan in plans if f"SEARCH {record.table.name}" in plan]
    assert len(looked_up) == 2  # the page, and its total
    for plan in looked_up:
        assert f"COVERING INDEX ix_{record.path}_visible (id=?" in plan, plan


@pytest.mark.parametrize("sort", ["-created_at", "created_at", "id", "-id", "status"])
def test_many_hits_are_found_in_index_order(context, few_hits, make, people, explain, sort):
    """Rows are matched one by one in index order, without sorting first."""
    post = read.find_id(POSTS, SYSTEM, title="x 00")
    for _ in range(7):
        make(COMMENTS, post=post, author=people["bob"].id, body="sea")
    query = Query(search="sea", sort=(sort,), count=False)
    plan = explain(lambda: read.list_records(COMMENTS, ANONYMOUS, query))[-1]
    if db.engine.dialect.name != "sqlite":
        assert "search_documents_type_record_id" in plan or "hashed SubPlan" in plan
        return
    in_order = plan.partition("in_order")[2].partition("SCAN in_order")[0]
    index = {"status": "status", "id": "visible"}.get(sort.strip("-"), "created_at")
    by_index = rf"(SCAN|SEARCH) comments USING (COVERING )?INDEX ix_comments_{index}"
    assert re.search(by_index, in_order), plan
    assert "TEMP B-TREE" not in in_order
    assert "SEARCH posts USING COVERING INDEX ix_posts_visible (id=?" in plan


def test_search_over_all_types_starts_from_matching_documents(app, explain):
    seen = explain(lambda: search.search(ANONYMOUS, Query(search="sea")))
    assert len(seen) == 3  # the hits of each type, those that are visible, the page
    for plan in seen:
        _check(plan, "posts")
