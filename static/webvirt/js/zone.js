// The server renders times in the viewer's zone, which only the browser knows.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.cookie.includes(`webvirt_tz=${zone}`)) {
  document.cookie = `webvirt_tz=${zone}; path=/; max-age=31536000; samesite=lax`;
}
