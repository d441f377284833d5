// Creates a record that a form refers to, in a dialog with its required fields.
"use strict";

function messageOf(problem) {
  if (!problem) return "";
  return problem.details?.[0]?.message || problem.message || translate("The server is not responding. Try again.");
}

class CreationDialog {
  constructor(picker, fields, values) {
    this.picker = picker;
    this.error = element("p", { class: "inline-error", role: "alert" });
    const save = element("button", { class: "button primary", type: "submit" }, translate("Create"));
    const cancel = element("button", { class: "button", type: "button" }, translate("Cancel"));
    this.form = element("form", { "data-no-confirm": "", novalidate: "" }, ...fields.map((field) => this.row(field, values[field.name] || "")),
      this.error, element("div", { class: "dialog-actions" }, cancel, save));
    const title = element("h2", { id: "create-head" }, translate("New %(noun)s", { noun: picker.field.dataset.createNoun }));
    this.dialog = element("dialog", { "aria-labelledby": "create-head", class: "creation" }, title, this.form);
    document.body.append(this.dialog);
    this.dialog.addEventListener("close", () => { this.dialog.remove(); picker.input.focus(); });
    cancel.addEventListener("click", () => this.dialog.close());
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.save(save); });
    this.dialog.showModal();
    [...this.form.elements].find((one) => !one.value)?.focus();
  }

  row({ name, label, help, type }, value) {
    const id = `create-${name}`;
    const input = type === "textarea" ? element("textarea", { rows: "5" }) : element("input", { type, autocomplete: type === "password" ? "new-password" : "off" });
    for (const [key, text] of Object.entries({ id, name, dir: "auto", required: "" })) input.setAttribute(key, text);
    input.value = value;
    const row = element("div", { class: "field" }, element("label", { for: id }, label), input);
    if (help) row.append(element("p", { class: "hint", id: `${id}-help` }, help));
    if (help) input.setAttribute("aria-describedby", `${id}-help`);
    return row;
  }

  async save(button) {
    button.disabled = true;
    const problem = await this.picker.send(Object.fromEntries(new FormData(this.form)));
    button.disabled = false;
    if (!problem) { this.dialog.close(); return; }
    const invalidNames = problem.details?.map((one) => one.field) || [];
    for (const input of this.form.querySelectorAll("[name]")) input.setAttribute("aria-invalid", String(invalidNames.includes(input.name)));
    const label = this.form.querySelector(`label[for="create-${invalidNames[0]}"]`)?.textContent;
    this.error.textContent = (label ? `${label}: ` : "") + messageOf(problem);
    this.form.querySelector("[aria-invalid=true]")?.focus();
  }
}
