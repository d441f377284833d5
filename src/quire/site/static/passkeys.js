/* Passkeys: asks our server what to request from the browser, and sends the device's response. */

"use strict";

(() => {
  if (!window.PublicKeyCredential) return;

  const toBytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));

  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  /* converts JSON to what the browser expects */
  const decodeOptions = (options) => {
    const withBytes = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));
    const credentials = { ...options, challenge: toBytes(options.challenge) };
    if (options.user) credentials.user = { ...options.user, id: toBytes(options.user.id) };
    if (options.excludeCredentials) credentials.excludeCredentials = withBytes(options.excludeCredentials);
    if (options.allowCredentials) credentials.allowCredentials = withBytes(options.allowCredentials);
    return credentials;
  };

  /* and back */
  const encodeCredential = (credential) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = toText(credential.response[name]);
    }
    const { id, type } = credential;
    return JSON.stringify({ id, rawId: toText(credential.rawId), type, response, clientExtensionResults: {} });
  };

  const requestOptions = async (form) => {
    const request = { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)) };
    const answer = await fetch(form.dataset.options, request);
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.message);
    return { publicKey: decodeOptions(body) };
  };

  const usePasskey = async (form) => {
    const options = await requestOptions(form);
    const credential = await navigator.credentials[form.dataset.passkey](options);
    form.elements.credential.value = encodeCredential(credential);
    const remember = document.getElementById("remember");
    if (form.elements.remember) form.elements.remember.disabled = !(remember && remember.checked);
    form.submit();
  };

  const begin = (form) => {
    const button = form.querySelector("button");
    const error = form.querySelector("p[role=alert]");
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      error.hidden = true;
      try {
        await usePasskey(form);
      } catch (problem) {
        error.textContent = error.dataset[problem.name] || problem.message; // the browser's name of the error
        error.hidden = false;
        button.disabled = false;
      }
    });
    window.addEventListener("pageshow", () => { button.disabled = false; });
  };

  document.querySelectorAll("[data-no-passkeys]").forEach((one) => { one.hidden = true; });
  document.querySelectorAll("form[data-passkey]").forEach(begin);
})();
