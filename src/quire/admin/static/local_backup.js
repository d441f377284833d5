// Backs up typed text in this browser, and sends requests that survive the end of a session.
"use strict";

class LocalBackup {
  constructor(form) {
    this.form = form;
    this.setKey(form?.dataset.id);
  }

  setKey(id) { this.key = `backup:${this.form?.dataset.user}:${this.form?.dataset.kind}:${id || "new"}`; }

  load(key = this.key) {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  }

  // Returns whether there was room.
  save(changes) {
    try {
      localStorage.setItem(this.key, JSON.stringify({ at: Date.now(), ...changes }));
      return true;
    } catch { return false; }
  }

  drop(key = this.key) { localStorage.removeItem(key); }
}

class BrowserSession {
  constructor(user) {
    this.user = user;
  }

  // The response as {ok, status, body, message}; status 0 if there was none.
  async post(address, body, again = true) {
    const headers = { "X-CSRFToken": csrf(), Accept: "application/json" };
    const answer = await fetch(address, { method: "POST", body, headers }).catch(() => null);
    if (answer?.status === 401 || (answer?.status === 403 && again)) {
      const userId = await this.renewToken();
      if (String(userId) !== this.user) return { ok: false, status: 401, message: this.signedOut(userId) };
      if (again) {
        if (body instanceof FormData) body.delete("csrf_token");
        return this.post(address, body, false);
      }
    }
    const json = await answer?.json().catch(() => null);
    return { ok: Boolean(answer?.ok && json), status: answer?.status || 0, body: json,
      message: json?.message || translate("The server is not responding.") };
  }

  signedOut(userId) {
    return userId ? translate("You are now signed in as a different user.") : translate("You have been signed out.");
  }

  // Returns the id of the current user, and gives every form of this page their CSRF token.
  async renewToken() {
    const options = { headers: { Accept: "application/json" }, cache: "no-store" };
    const answer = await fetch("/api/v1/users/me?fields=id", options).catch(() => null);
    if (!answer?.ok) return null;
    const { id } = await answer.json();
    const { csrf_token: token } = await (await fetch("/api/v1/csrf-token", options)).json();
    document.querySelector('meta[name="csrf-token"]').content = token;
    for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = token;
    return id;
  }
}

const editorForm = document.querySelector("form[data-render-url]");
const localBackup = new LocalBackup(editorForm);
const browserSession = new BrowserSession(editorForm?.dataset.user);

for (const editor of typeof editors === "undefined" ? [] : editors) { // there are none on pages that only choose images
  if (editorForm?.dataset.media && !editor.area.dataset.noImages) addPictures(editor, editorForm.dataset.media);
  addToolbar(editor);
  if (editorForm) new Preview(editor, editorForm.dataset.renderUrl);
}
