// The server writes times in the zone of the person; it learns the zone from this cookie. Nothing else waits for it:
// to ask for the name of the zone takes a slow phone half a second.
"use strict";

(window.requestIdleCallback || setTimeout)(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
}, { timeout: 1000 });
