// What is typed is kept in this browser at every change, and asks of the server that outlive a session.
"use strict";

class Keeping {
  constructor(form) {
    this.form = form;
    this.user = form?.dataset.user;
    this.name(form?.dataset.id);
  }

  name(id) { this.key = `kept:${this.user}:${this.form?.dataset.kind}:${id || "new"}`; }

  load(key = this.key) {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  }

  // Whether there was room.
  keep(changes) {
    try {
      localStorage.setItem(this.key, JSON.stringify({ at: Date.now(), ...changes }));
      return true;
    } catch { return false; }
  }

  drop(key = this.key) { localStorage.removeItem(key); }

  // The answer as {ok, status, body, message}; status 0 where none came.
  async post(address, body, again = true) {
    const headers = { "X-CSRFToken": csrf(), Accept: "application/json" };
    const answer = await fetch(address, { method: "POST", body, headers }).catch(() => null);
    if (answer?.status === 401 || (answer?.status === 403 && again)) {
      const who = await this.whoIsThere();
      if (String(who) !== this.user) return { ok: false, status: 401, message: this.signedOut(who) };
      if (again) {
        if (body instanceof FormData) body.delete("csrf_token");
        return this.post(address, body, false);
      }
    }
    const json = await answer?.json().catch(() => null);
    return { ok: Boolean(answer?.ok && json), status: answer?.status || 0, body: json,
      message: json?.message || "The server is not responding." };
  }

  signedOut(who) {
    return who ? "You are now signed in as a different user." : "You have been signed out.";
  }

  // The id of who is signed in now, whose token every form of this page gets.
  async whoIsThere() {
    const asked = { headers: { Accept: "application/json" }, cache: "no-store" };
    const answer = await fetch("/api/v1/users/me?fields=id", asked).catch(() => null);
    if (!answer?.ok) return null;
    const { id } = await answer.json();
    const { csrf_token: token } = await (await fetch("/api/v1/csrf-token", asked)).json();
    document.querySelector('meta[name="csrf-token"]').content = token;
    for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = token;
    return id;
  }
}

const writing = document.querySelector("form[data-rendered]");
const keeping = new Keeping(writing);

for (const surface of surfaces) {
  if (writing?.dataset.media) addPictures(surface, writing.dataset.media);
  addToolbar(surface);
  if (writing) new Prospect(surface, writing.dataset.rendered);
}
