// The server formats times in the user's time zone, which it learns from this cookie. Nothing else waits for this:
// looking up the name of the zone takes half a second on a slow phone.
"use strict";

(window.requestIdleCallback || setTimeout)(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
}, { timeout: 1000 });
