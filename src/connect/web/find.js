// Looks for the parts of a login on a page, in its frames of the same origin and its
// open shadow roots, and puts the keyboard into one of them if asked to. It is given
// no secret and gives none back. Runs apart from the page's own scripts.
(function (ask) {
  const CODE = /(^|[^a-z])(2fa|mfa|tfa)([^a-z]|$)|otp|one.?time|token.?code|verif\w*.?code|auth\w*.?code|security.?code|code.?(de.?)?(v.rification|s.curit.)|usage unique/i;
  const USER = /user|login|log.?on|sign.?in|mail|account|identifiant|utilisateur|compte|benutzer/i;
  const GO = /log.?in|log.?on|sign.?in|connexion|connecter|connect|submit|^ok$|next|suivant|continue|valider|verify|v.rifier|anmelden|enter/i;
  const found = [];
  // A document and a form have what is named in them in place of their own functions.
  const inside = (root) => (root.nodeType === 9 ? Document : DocumentFragment).prototype.querySelectorAll.call(root, "*");
  const contains = (form, el) => Node.prototype.contains.call(form, el);
  const walk = (root, dx, dy) => {
    for (const el of inside(root)) {
      found.push({ el, dx, dy });
      if (el.shadowRoot) walk(el.shadowRoot, dx, dy);
      if (el.tagName === "IFRAME" || el.tagName === "FRAME") {
        let inner = null;
        try { inner = el.contentDocument; } catch (e) { inner = null; }
        let same = false;
        try { same = inner && el.contentWindow.location.origin === location.origin; } catch (e) { same = false; }
        if (same) {
          const box = el.getBoundingClientRect();
          walk(inner, dx + box.left + el.clientLeft, dy + box.top + el.clientTop);
        }
      }
    }
  };
  walk(document, 0, 0);
  const seen = (f) => {
    const el = f.el;
    if (el.disabled || el.getClientRects().length === 0) return false;
    const box = el.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return false;
    return el.ownerDocument.defaultView.getComputedStyle(el).visibility !== "hidden";
  };
  const declared = (selectors) => {
    for (const selector of selectors || []) {
      for (const f of found) {
        let hit = false;
        try { hit = f.el.matches(selector); } catch (e) { return { bad: selector }; }
        if (hit && seen(f)) return { f };
      }
    }
    return {};
  };
  const words = (el) => [el.name, el.id, el.placeholder, el.getAttribute("aria-label"), el.autocomplete,
    ...Array.from(el.labels || [], (l) => l.textContent)].join(" ");
  const typed = (f, types) => f.el.tagName === "INPUT" && types.includes(f.el.type);
  const TEXTS = ["text", "email", "tel", "number"];
  const named = { user: declared(ask.user), password: declared(ask.password), code: declared(ask.code), submit: declared(ask.submit) };
  const bad = Object.values(named).map((n) => n.bad).filter(Boolean)[0] || null;

  const inputs = found.filter((f) => f.el.tagName === "INPUT" && seen(f) && !f.el.readOnly);
  const isCode = (f) => typed(f, [...TEXTS, "password"]) && (
    f.el.autocomplete === "one-time-code" || CODE.test(words(f.el)) ||
    (f.el.type !== "password" && /pass.?code/i.test(words(f.el))) ||
    (f.el.inputMode === "numeric" && f.el.type !== "password" && f.el.maxLength >= 6 && f.el.maxLength <= 8));
  const code = named.code.f || inputs.find(isCode) || null;
  const secrets = inputs.filter((f) => f.el.type === "password" && f !== code && !isCode(f));
  // Several are a page where a password is changed, not where one logs in.
  const password = named.password.f || (secrets.length === 1 ? secrets[0] : null);
  let user = named.user.f || null;
  if (!user && password) {
    const at = inputs.indexOf(password);
    const form = password.el.form;
    const before = inputs.slice(0, at < 0 ? 0 : at).filter((f) =>
      typed(f, ["text", "email", "tel"]) && f !== code && (!form || f.el.form === form));
    user = before.find((f) => /username/.test(f.el.autocomplete)) || before[before.length - 1] || null;
  }
  if (!user && !password && secrets.length === 0) {
    user = inputs.find((f) => typed(f, ["text", "email", "tel"]) && f !== code && USER.test(words(f.el))
      && !/search|recherche/i.test(words(f.el))) || null;
  }
  let submit = named.submit.f || null;
  const main = code && !password ? code : password || user;
  if (!submit && main) {
    const near = found.filter((f) => seen(f) && (!main.el.form || f.el.form === main.el.form || contains(main.el.form, f.el)));
    const label = (el) => (el.value || "") + " " + (el.textContent || "") + " " + (el.id || "");
    submit = near.find((f) => /^(BUTTON|INPUT)$/.test(f.el.tagName) && (f.el.type === "submit" || f.el.type === "image"))
      || near.find((f) => (f.el.tagName === "BUTTON" || f.el.getAttribute("role") === "button" || f.el.tagName === "A"
        || (f.el.tagName === "INPUT" && f.el.type === "button")) && GO.test(label(f.el)) && label(f.el).length < 60)
      || null;
  }
  const parts = { user, password, code, submit };
  let focused = false;
  const want = ask.act && parts[ask.act];
  if (want) {
    if (ask.act === "submit") want.el.scrollIntoView({ block: "center", behavior: "instant" });
    want.el.focus();
    if (want.el.select) try { want.el.select(); } catch (e) { /* Types that have no selection. */ }
    focused = want.el.getRootNode().activeElement === want.el;
  }
  const box = submit && submit.el.getBoundingClientRect();
  return JSON.stringify({
    origin: location.origin,
    ready: document.readyState !== "loading" && document.body !== null,
    complete: document.readyState === "complete",
    user: !!user,
    password: !!password,
    code: !!code,
    submit: !!submit,
    named: !!named.submit.f,
    many: secrets.length > 1,
    x: box ? submit.dx + box.left + box.width / 2 : 0,
    y: box ? submit.dy + box.top + box.height / 2 : 0,
    focused, bad,
  });
})
