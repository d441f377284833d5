"""The record types, in the order in which they appear everywhere."""

from quire.declare.record import check_registry

# ruff: isort: off
from quire.records.posts import POSTS as POSTS
from quire.records.pages import PAGES as PAGES
from quire.records.comments import COMMENTS as COMMENTS
from quire.records.categories import CATEGORIES as CATEGORIES
from quire.records.tags import TAGS as TAGS
from quire.records.media import MEDIA as MEDIA
from quire.records.users import USERS as USERS
from quire.records.profiles import PROFILES as PROFILES
from quire.records.sessions import SESSIONS as SESSIONS
from quire.records.api_keys import API_KEYS as API_KEYS
from quire.records.webhooks import WEBHOOKS as WEBHOOKS
from quire.records.deliveries import DELIVERIES as DELIVERIES
from quire.records.redirects import REDIRECTS as REDIRECTS
from quire.records.settings import SETTINGS as SETTINGS
from quire.records.appearance import APPEARANCE as APPEARANCE
from quire.records.audit_events import AUDIT_EVENTS as AUDIT_EVENTS
from quire.records.revisions import REVISIONS as REVISIONS
from quire.records.batches import BATCHES as BATCHES
from quire.records.saved_views import SAVED_VIEWS as SAVED_VIEWS
# ruff: isort: on

check_registry()
