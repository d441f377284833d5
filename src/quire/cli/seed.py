"""`manage.py seed`: sample content in any amount."""

import click

from quire.cli.context import progress, with_database
from quire.exchange.seed import Counts, seed_content
from quire.store.engine import update_statistics

AMOUNT = click.IntRange(0, 1_000_000)


@click.command()
@click.option("--users", default=10, show_default=True, type=AMOUNT)
@click.option("--tags", default=20, show_default=True, type=AMOUNT)
@click.option("--posts", default=100, show_default=True, type=AMOUNT)
@click.option("--comments", default=300, show_default=True, type=AMOUNT)
@click.option(
    "--random-seed",
    default=1,
    show_default=True,
    type=int,
    help="Seed of the random generator, for a different sample.",
)
@with_database
def seed(users: int, tags: int, posts: int, comments: int, random_seed: int) -> None:
    """Add sample content; the same options give the same content on every machine."""
    numbers = Counts(users, tags, posts, comments)
    with progress("Seeding", sum(numbers)) as bar:
        seed_content(numbers, random_seed, bar.update)
    update_statistics()
    click.echo(f"Added {users} users, {tags} tags, {posts} posts, {comments} comments.")
