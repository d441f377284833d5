// Shortcuts of the editor, and the buttons in its head: unsaved changes are saved before an action applies to them.
"use strict";

class EditorActions {
  constructor(autosave) {
    this.autosave = autosave;
    this.form = autosave.form;
    document.addEventListener("submit", (event) => this.beforeAction(event), true);
    document.addEventListener("keydown", (event) => this.key(event));
  }

  beforeAction(event) {
    const form = event.target;
    if (form === this.form || !form.closest(".head-actions") || !this.autosave.dirty) return;
    if (form.elements.action?.value === "restore") {
      isSubmitting = true; // of panel.js
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    this.autosave.save().then(() => { if (this.autosave.isSaved) this.currentForm(form)?.requestSubmit(); });
  }

  // The form with the same button, which may have been replaced.
  currentForm(form) {
    const same = (name, one) => one.querySelector(`[name=${name}]`)?.value === form.querySelector(`[name=${name}]`)?.value;
    return [...document.querySelectorAll(".head-actions form")]
      .find((one) => one.getAttribute("action") === form.getAttribute("action") && same("action", one));
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key.toLowerCase() === "s") { event.preventDefault(); this.saveNow(); }
    if (event.key === "Enter") { event.preventDefault(); this.publish(); }
  }

  async saveNow() {
    const { autosave } = this;
    await autosave.save();
    if (autosave.isSaved && !autosave.state.textContent.startsWith(translate("Saved"))) autosave.showStatus(translate("No changes to save"), "success");
  }

  async publish() {
    const { autosave } = this;
    await autosave.save();
    if (autosave.dirty) await autosave.save(); // meanwhile, the name typed last may have become a key
    if (!autosave.isSaved || !this.form.dataset.id) return; // the foot of the page gives the reason
    const button = this.form.querySelector(".buttons .primary");
    if (await confirmInDialog(translate("Readers will see the current text."), button.textContent, "primary")) this.form.requestSubmit(button);
  }
}

if (editorForm?.dataset.autosave) new EditorActions(new Autosave(editorForm));
