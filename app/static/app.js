// What a page gains when scripts run. Every page works without: menus and panels are <details> and a checkbox,
// forms post as they are. Nothing here knows of pupils.
(() => {
  'use strict';
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const one = (selector, root = document) => root.querySelector(selector);
  const say = document.body.dataset;

  const make = (name, words, ...inside) => {
    const node = document.createElement(name);
    Object.entries(words).forEach(([key, value]) => node.setAttribute(key, value));
    node.append(...inside);
    return node;
  };
  const soil = (node) => node.dispatchEvent(new Event('soil', { bubbles: true })); // changed by the program

  // --- panels and menu close on Escape and on a click elsewhere
  const close = (details) => { details.open = false; };
  document.addEventListener('click', (event) => {
    all('details.pop[open]').filter((d) => !d.contains(event.target)).forEach(close);
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    all('details.pop[open]').forEach((d) => { close(d); one('summary', d).focus(); });
    const menu = one('#menu-open');
    if (menu && menu.checked) { menu.checked = false; menu.focus(); }
  });
  all('details.pop').forEach((d) => d.addEventListener('toggle', () => {
    const panel = d.open && one('.pop-panel', d);
    if (!panel || panel.contains(document.activeElement)) return; // told late: somebody may be typing there by now
    const first = one('input:not([type=hidden]), select, textarea', panel);
    if (first && matchMedia('(pointer: fine)').matches) first.focus(); // on a phone the keyboard would cover the panel
  }));

  // --- an empty filter has no place in the address
  all('form[data-skip-empty]').forEach((form) => form.addEventListener('submit', () => {
    const empty = all('input[name], select[name]', form).filter((i) => i.value === '' || i.name.endsWith('__text'));
    empty.forEach((i) => { i.disabled = true; });
    setTimeout(() => empty.forEach((i) => { i.disabled = false; }));
  }));

  // --- what a QR code brings along behind the #, which is never sent by itself
  all('input[data-from-hash]').forEach((input) => { if (!input.value) input.value = location.hash.slice(1); });

  // --- a second click on the same button does not post twice; a download lets go again, what is slow does not
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.getAttribute('method') !== 'post' || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = 'yes';
    if (form.dataset.slow) { one('button', form).textContent = form.dataset.slow; return; }
    setTimeout(() => { delete form.dataset.sent; }, 5000);
  });
  window.addEventListener('pageshow', () => all('form[data-sent]').forEach((form) => { delete form.dataset.sent; }));

  // --- a page that is meant for paper
  all('a[href="#print"]').forEach((link) => link.addEventListener('click', (event) => { event.preventDefault(); window.print(); }));

  // --- why a field is greyed is said at the head of its section, and where it stands for whoever goes into it
  document.addEventListener('click', ({ target }) => {
    if (target.closest('.lock-mark')) one('input', target.closest('.field')).focus();
  });
  document.addEventListener('focusin', ({ target }) => {
    if (!target.matches('.is-locked')) return;
    const note = document.getElementById(target.getAttribute('aria-describedby').split(' ')[0]).cloneNode(true);
    note.removeAttribute('id');
    note.setAttribute('aria-hidden', 'true'); // it is what the input is described by already
    target.after(note);
    note.scrollIntoView({ block: 'nearest' });
    target.addEventListener('focusout', () => note.remove(), { once: true });
  });

  // --- unsaved changes
  all('form[data-guard]').forEach((form) => {
    const mark = one('[data-unsaved]', form);
    let dirty = false, last = '';
    form.addEventListener('focusin', ({ target }) => { if (!target.matches('button, a')) last = target.name || target.dataset.standsFor || ''; });
    form.addEventListener('submit', ({ submitter }) => { // the next of a list is begun in the same box
      if (last && submitter && submitter.name === 'then') sessionStorage.setItem('stood', last);
    });
    const soil = () => { dirty = true; if (mark) mark.hidden = false; };
    if ('dirty' in form.dataset) soil();
    ['input', 'change', 'soil'].forEach((name) => form.addEventListener(name, soil));
    ['submit', 'safe'].forEach((name) => form.addEventListener(name, () => { dirty = false; }));
    window.addEventListener('beforeunload', (event) => { if (dirty) { event.preventDefault(); event.returnValue = ''; } });
  });

  // --- a day that one click fills in
  all('[data-fills]').forEach((line) => {
    const input = document.getElementById(line.dataset.fills);
    line.hidden = false;
    all('button', line).forEach((button) => button.addEventListener('click', () => {
      input.value = button.dataset.value;
      input.dispatchEvent(new Event('input', { bubbles: true }));
      input.focus();
    }));
  });

  // --- two duties that check each other are not ticked together: the other one is greyed at once
  const apart = all('input[data-apart]');
  const refreshApart = () => apart.forEach((box) => {
    const others = box.dataset.apart.split(' ').map((right) => document.getElementById(`f-${right}`));
    box.disabled = !box.checked && (box.dataset.greyed === 'yes' || others.some((other) => other && other.checked));
  });
  apart.forEach((box) => {
    if (box.disabled) box.dataset.greyed = 'yes';
    box.addEventListener('change', refreshApart);
  });
  refreshApart();
  // --- what is shown once: printed here, and not left by mistake
  all('[data-print]').forEach((button) => { button.hidden = false; button.addEventListener('click', () => window.print()); });
  if (one('[data-shown-once]')) window.addEventListener('beforeunload', (event) => { event.preventDefault(); event.returnValue = ''; });

  // --- drafts: what is typed is kept on the server a moment later, and once more when the page goes away.
  // Nothing of it stays in the browser. A page that holds what was kept warns no more: nothing is lost by leaving.
  const AFTER = 2000, AT_LEAST_EVERY = 15000, RETRY = 5000, RETRY_MOST = 60000, PATIENCE = 3000, AWAY = 60000; // ms
  const KEEPALIVE_MOST = 60000; // bytes that a browser still sends for a page that is gone
  const pause = (ms) => new Promise((go) => { setTimeout(go, ms); });
  const secret = 'input[type=password][name], input[type=file][name], [autocomplete="one-time-code"][name]';

  all('form[data-draft]').forEach((form) => {
    const words = form.dataset;
    const page = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('');
    const read = (from = form) => {
      const data = new FormData(from);
      ['csrf_token', ...all(secret, from).map((i) => i.name)].forEach((name) => data.delete(name));
      return String(new URLSearchParams(data));
    };
    const asItCame = () => { // a browser that goes back may have put into the page what was typed there before
      const copy = form.cloneNode(true);
      copy.reset();
      return read(copy);
    };
    let held = 'dirty' in words ? null : asItCame(); // what the server has: the record, or the draft
    let hasDraft = Boolean(words.draftSince);
    let timer, waiting = 0, tries = 0, running = null, over = false, leftAt = 0;
    let aborter;
    const line = one('[data-draft-line]', form), said = one('[data-draft-said]', form);
    const tell = (text, isBad) => {
      line.textContent = text;
      if (isBad || line.classList.contains('is-bad')) said.textContent = text; // aloud when it fails and when it works again
      line.classList.toggle('is-bad', isBad);
      freshen();
    };
    const freshen = () => line.classList.toggle('is-old', read() !== held);
    const ask = (url, more) => fetch(url, { ...more, credentials: 'same-origin', headers: { Accept: 'application/json', ...more.headers } });
    const post = (typed) => {
      const body = new URLSearchParams(typed);
      Object.entries({ path: words.draftPath, owner: words.draftOwner, since: words.draftSince, window: page })
        .forEach(([name, value]) => body.set(`draft_${name}`, value));
      const headers = { 'X-CSRFToken': one('[name=csrf_token]', form).value };
      aborter = new AbortController();
      return ask(words.draft, { method: 'POST', body, headers, signal: aborter.signal, keepalive: String(body).length < KEEPALIVE_MOST });
    };
    const renew = async () => { // after a new login in another window this page's form token is void
      const answer = await ask(words.draftToken, {});
      const { person, token, message } = await answer.json();
      const isMine = answer.ok && String(person) === words.draftOwner;
      if (isMine) all('input[name=csrf_token]').forEach((i) => { i.value = token; });
      else tell(answer.ok ? words.saysOther : message, true);
      return isMine;
    };
    const again = () => {
      clearTimeout(timer);
      timer = setTimeout(keep, Math.min(RETRY * 2 ** tries, RETRY_MOST));
      tries += 1;
    };
    const settle = (typed, at) => {
      [held, hasDraft, tries] = [typed, Boolean(at), 0];
      tell(at ? words.saysKept.replace('{at}', at) : '', false);
      if (read() === held) form.dispatchEvent(new Event('safe'));
      else soon();
    };
    const push = async (isSecond) => {
      const typed = read();
      if (typed === held) { freshen(); return true; }
      try {
        const answer = await post(typed);
        if (answer.status === 400 && !isSecond) return await renew() && await push(true);
        if (answer.ok) settle(typed, (await answer.json()).at);
        else if (answer.status >= 500 || answer.status === 429) { tell(words.saysBusy, true); again(); }
        else tell((await answer.json()).message, true);
        return answer.ok;
      } catch (trouble) {
        if (!over) { tell(words.saysOffline, true); again(); }
        return false;
      }
    };
    function keep() {
      clearTimeout(timer);
      waiting = 0;
      running = running || push().finally(() => { running = null; });
      return running;
    }
    function soon() {
      clearTimeout(timer);
      if (over) return;
      line.classList.add('is-old');
      waiting = waiting || Date.now();
      timer = setTimeout(keep, Math.max(0, Math.min(AFTER, waiting + AT_LEAST_EVERY - Date.now())));
    }
    const stop = (event) => { // the draft goes with this post: one that is still on its way must not come after it
      over = true;
      clearTimeout(timer);
      form.dispatchEvent(new Event('safe'));
      if (!running) return;
      event.preventDefault();
      Promise.race([running, pause(PATIENCE)]).then(() => {
        aborter.abort();
        running = null;
        event.target.requestSubmit(event.submitter);
      });
    };

    ['input', 'change', 'soil'].forEach((name) => form.addEventListener(name, soon));
    [form, ...all('form[data-drop-draft]')].forEach((f) => f.addEventListener('submit', stop));
    window.addEventListener('pageshow', (event) => { if (event.persisted) { over = false; soon(); } });
    window.addEventListener('pagehide', () => { if (!over) running ? push() : keep(); });
    window.addEventListener('online', () => { if (!over) keep(); });
    document.addEventListener('visibilitychange', () => {
      if (over) return;
      if (document.visibilityState === 'hidden') { leftAt = Date.now(); keep(); }
      else if (Date.now() - leftAt > AWAY) renew().catch(() => {});
    });
    one('[data-keep]', form).addEventListener('click', async (event) => {
      event.preventDefault();
      if (await keep() && !line.textContent) tell(words.saysSame, false);
    });
    if (read() !== held) soon();

    // --- leaving by the button asks what is to become of it
    const way = one('[data-leave]', form), dialog = one('#leave');
    if (!way) return;
    way.addEventListener('click', (event) => {
      if (!hasDraft && read() === held) return;
      event.preventDefault();
      dialog.showModal();
    });
    one('[data-leave-stay]', dialog).addEventListener('click', () => dialog.close());
    one('[data-leave-keep]', dialog).addEventListener('click', async (event) => {
      event.preventDefault();
      if (await keep()) location.assign(event.target.href);
      else dialog.close();
    });
  });

  // --- complaints, or what two have changed, are read out first, each link lands inside its input; else one stands where one stood
  const stood = sessionStorage.getItem('stood');
  sessionStorage.removeItem('stood');
  const wanted = one('#complaints') || one('[data-conflict]') || (stood && one(`form[data-guard] [name="${CSS.escape(stood)}"]`));
  if (wanted) wanted.focus();
  all('#complaints a[href^="#"]').forEach((link) => link.addEventListener('click', (event) => {
    const input = document.getElementById(link.hash.slice(1));
    if (!input) return;
    event.preventDefault();
    input.focus();
    input.scrollIntoView({ block: 'center' });
  }));

  // --- two have changed one record: what is chosen stands in the form at once, and what is typed there is one's own
  all('[data-conflict] input[type=radio]').forEach((radio) => {
    const input = radio.form.elements.namedItem(radio.name.replace('__choice', ''));
    const put = () => {
      radio.closest('tr').classList.remove('is-open');
      if ('fill' in radio.dataset) { input.value = radio.dataset.fill; soil(input); }
    };
    radio.addEventListener('change', put);
    if (radio.value !== 'theirs') input.addEventListener('input', () => { radio.checked = true; radio.closest('tr').classList.remove('is-open'); });
  });

  // --- where one is in a long form
  const spots = all('.index a').map((link) => [link, document.getElementById(decodeURIComponent(link.hash.slice(1)))]).filter((pair) => pair[1]);
  if (spots.length) {
    let waiting = false;
    const mark = () => {
      waiting = false;
      const bottom = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 4;
      const passed = spots.filter(([, part]) => part.getBoundingClientRect().top < window.innerHeight * 0.3);
      const here = bottom ? spots[spots.length - 1] : passed[passed.length - 1] || spots[0];
      spots.forEach((pair) => pair[0].classList.toggle('is-here', pair === here));
      const strip = here[0].closest('.index');
      strip.scrollTo({ left: here[0].offsetLeft - strip.clientWidth / 3 });
    };
    window.addEventListener('scroll', () => { if (!waiting) { waiting = true; requestAnimationFrame(mark); } }, { passive: true });
    mark();
  }

  // --- a table that fits its place scrolls with the page, a broad one in its own box
  const fit = () => all('.sheet').forEach((sheet) => {
    const body = one('.sheet-body', sheet);
    sheet.classList.remove('is-fitting');
    const fits = body.scrollWidth <= body.clientWidth;
    sheet.classList.toggle('is-fitting', fits);
    if (fits) ['tabindex', 'role'].forEach((name) => body.removeAttribute(name));
    else Object.entries({ tabindex: 0, role: 'region' }).forEach(([name, value]) => body.setAttribute(name, value));
  });
  fit();
  window.addEventListener('resize', fit);

  // --- nested rows
  const renumber = (table) => all('[data-row] [data-number]', one('[data-rows]', table)).forEach((n, i) => { n.textContent = i + 1; });
  const nextIndex = (table) => {
    const taken = all('[data-row]', one('[data-rows]', table)).map((row) => Number(row.dataset.row.split('-').at(-2)));
    return Math.max(-1, Number(table.dataset.last || -1), ...taken) + 1;
  };
  const removeButton = (table, row) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'btn btn-quiet';
    button.textContent = say.remove;
    button.addEventListener('click', () => { soil(row); row.remove(); renumber(table); one('[data-add]', table).focus(); });
    const place = document.createElement('div'); // not the label: it would take the button's name away
    place.className = 'gone';
    place.append(button);
    one('.gone', row).replaceWith(place);
  };
  const prepareRow = (table, row) => {
    all('[data-lookup]', row).forEach(lookup);
    all('select[data-spelled]', row).forEach(findable);
    const box = one('.gone input', row);
    if (row.classList.contains('is-new')) { removeButton(table, row); return; }
    const show = () => row.classList.toggle('is-gone', box.checked);
    box.addEventListener('change', show);
    show();
  };
  const addRow = (table) => {
    const holder = document.createElement('div');
    const next = nextIndex(table);
    table.dataset.last = next;
    holder.innerHTML = one('template[data-blank]', table).innerHTML.replaceAll('__n__', next);
    const row = holder.firstElementChild;
    one('[data-rows]', table).append(row);
    prepareRow(table, row);
    all('.day-box', row).forEach(dayBox);
    renumber(table);
    soil(row);
    const first = one('.fields input:not([type=hidden]), .fields select', row);
    if (first) first.focus();
  };

  // --- a combobox: a list that follows what is typed. `find(text)` gives what is offered, [{ id, label }] or a promise of it;
  // null is nothing to choose. `take(item)` is told what was chosen. With `isWhole` all is offered before one types
  let serial = 0;
  const combobox = (box, input, { find, take, delay = 0, isWhole = false }) => {
    const list = make('ul', { id: `lookup-${serial += 1}`, class: 'lookup-list', role: 'listbox', 'aria-label': say.choices });
    const status = make('span', { class: 'visually-hidden', role: 'status' });
    list.hidden = true;
    box.append(list, status);
    Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': list.id })
      .forEach(([name, value]) => input.setAttribute(name, value));
    let timer, asked = 0, at = -1, items = [], isOld = false; // isOld: the list is still that of what was typed before
    const options = () => all('[role=option]', list);
    const show = (open) => {
      list.hidden = !open;
      input.setAttribute('aria-expanded', String(open));
      if (!open) { at = -1; input.removeAttribute('aria-activedescendant'); }
    };
    const tell = (text) => {
      items = [];
      list.replaceChildren(make('li', { class: 'says', role: 'presentation' }, text));
      status.textContent = text;
      show(true);
    };
    const point = (to) => {
      const found = options();
      if (!found.length) return;
      at = (to + found.length) % found.length;
      found.forEach((o, i) => o.setAttribute('aria-selected', String(i === at)));
      found[at].scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', found[at].id);
    };
    const draw = (found) => {
      if (!found.length) { tell(say.none); return; }
      items = found;
      isOld = false;
      list.replaceChildren(...items.map((item, i) =>
        make('li', { id: `${list.id}-${i}`, role: 'option', 'aria-selected': 'false' }, item.label)));
      status.textContent = say.found.replace('{n}', items.length);
      show(false);
      show(true);
      const now = items.findIndex((item) => item.isNow);
      if (now >= 0) point(now);
    };
    const choose = (i) => { show(false); take(items[i]); };
    const seek = async () => {
      const mine = asked += 1;
      try {
        const found = await find(input.value.trim());
        if (mine !== asked || document.activeElement !== input) return;
        if (found) draw(found);
        else show(false);
      } catch (trouble) {
        if (mine === asked) tell(say.trouble);
      }
    };
    input.addEventListener('input', () => {
      clearTimeout(timer);
      asked += 1;
      isOld = true;
      at = -1;
      options().forEach((option) => option.setAttribute('aria-selected', 'false'));
      input.removeAttribute('aria-activedescendant');
      if (!input.value.trim() && !isWhole) show(false);
      else if (delay) timer = setTimeout(seek, delay);
      else seek();
    });
    if (isWhole) input.addEventListener('click', () => { if (list.hidden) { input.select(); seek(); } });
    input.addEventListener('keydown', (event) => {
      const open = !list.hidden;
      if (event.isComposing) return;
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        if (open) point(at + (event.key === 'ArrowDown' ? 1 : at < 0 ? 0 : -1));
        else seek();
      } else if (event.key === 'Enter' && open) {
        event.preventDefault();
        if (at >= 0 || (items.length && !isOld)) choose(Math.max(at, 0));
      } else if (event.key === 'Escape' && open) {
        event.stopPropagation();
        show(false);
      }
    });
    list.addEventListener('mousedown', (event) => {
      event.preventDefault();
      const option = event.target.closest('[role=option]');
      if (option) choose(options().indexOf(option));
    });
    input.addEventListener('blur', () => { clearTimeout(timer); asked += 1; show(false); });
  };

  // --- look-ups: comboboxes that ask the server as one types
  const ASKS_AFTER = 220; // ms
  function lookup(box) {
    if (box.dataset.ready) return;
    box.dataset.ready = 'yes';
    const find = async (text) => {
      const body = new URLSearchParams({ q: text }); // it may be a number: not for an address
      const headers = { Accept: 'application/json', 'X-CSRFToken': one('[name=csrf_token]').value };
      const answer = await fetch(box.dataset.lookup, { method: 'POST', body, headers, credentials: 'same-origin' });
      if (!answer.ok) throw new Error(answer.status);
      return (await answer.json()).items;
    };
    (one('input[type=hidden]', box) ? lookUpRow : lookUpCode)(box, one('input[type=text]', box), find);
  }

  // the hidden input holds the row's id, the visible one its name
  const lookUpRow = (box, input, find) => {
    const hidden = one('input[type=hidden]', box);
    let chosen = { id: hidden.value, label: input.value };
    const take = (item) => {
      chosen = item;
      hidden.value = item.id;
      input.value = item.label;
      hidden.dispatchEvent(new Event('change', { bubbles: true }));
    };
    input.addEventListener('input', () => { hidden.value = input.value === chosen.label ? chosen.id : ''; });
    combobox(box, input, { find, take, delay: ASKS_AFTER });
  };

  // the input holds the code itself, typed or chosen; its name stands beneath
  const lookUpCode = (box, input, find) => {
    const name = document.getElementById(`${input.id}-name`);
    const whole = (text) => { // as the server reads it
      const code = text.normalize('NFKC').replace(/\s/g, '').replace(/^.*\((\d{12})\)$/, '$1');
      return /^(\d{6}|\d{9})$/.test(code) ? code.padEnd(12, '0') : code;
    };
    let known = { id: whole(input.value), label: name.textContent };
    const tell = () => {
      const text = whole(input.value) === known.id ? known.label : '';
      if (name.textContent !== text) name.textContent = text;
    };
    const learn = async (text) => {
      const items = await find(text);
      const same = items.find((item) => item.id === whole(text));
      if (same) known = same;
      tell();
      return same && same.id === text ? null : items;
    };
    const take = (item) => {
      known = item;
      input.value = item.id;
      tell();
      input.dispatchEvent(new Event('change', { bubbles: true }));
    };
    const catchUp = () => { // what was put in by the program, or left before anybody was asked
      tell();
      const code = whole(input.value);
      if (!name.textContent && /^\d{12}$/.test(code)) learn(code).catch(() => {});
    };
    input.placeholder = box.dataset.hint;
    input.addEventListener('input', tell);
    ['change', 'soil'].forEach((kind) => input.addEventListener(kind, catchUp));
    combobox(box, input, { find: learn, take, delay: ASKS_AFTER });
  };

  // --- a long select is found by name, pinyin or code as one types; the select stays behind, and is what the form posts
  function findable(select) {
    if (select.dataset.ready) return;
    select.dataset.ready = 'yes';
    const box = make('div', { class: 'lookup' });
    const input = make('input', { type: 'text', class: select.className, id: `${select.id}-find`, autocomplete: 'off', spellcheck: 'false', 'data-stands-for': select.name });
    const fold = (text) => text.normalize('NFKC').toLowerCase().replace(/\s/g, '');
    const spelled = select.dataset.spelled.split('|');
    const known = Array.from(select.options, (option, i) => {
      const read = spelled[i].split(' ');
      const ends = read.map((_, from) => read.slice(from));
      return { id: option.value, label: option.text, code: fold(option.value), name: fold(option.text), ways: ends.flatMap((part) => [part.join(''), part.map((s) => s[0]).join('')]) };
    });
    const offered = known.filter((item) => item.id);
    const now = () => known[select.selectedIndex] || known[0];
    const rank = (item, text) => { // lower is nearer
      if (item.code === text || item.name === text) return 0;
      if (item.code.startsWith(text) || item.name.startsWith(text) || item.ways[0].startsWith(text) || item.ways[1].startsWith(text)) return 1;
      return item.name.includes(text) || item.ways.some((way) => way.startsWith(text)) ? 2 : 3;
    };
    const meant = (typed) => {
      const text = fold(typed);
      return offered.filter((item) => rank(item, text) < 3).sort((a, b) => rank(a, text) - rank(b, text));
    };
    const find = (text) => {
      if (text && text !== now().label) return meant(text);
      return offered.map((item) => ({ ...item, isNow: item.id === select.value }));
    };
    const draw = () => { input.value = now().id ? now().label : ''; };
    const take = ({ id }) => {
      const isNew = select.value !== id;
      select.value = id;
      draw();
      if (isNew) ['input', 'change'].forEach((kind) => select.dispatchEvent(new Event(kind, { bubbles: true })));
    };
    const settle = () => { // what was typed in full needs no choice; what means nothing goes
      const typed = input.value.trim();
      if (typed === now().label) return;
      const found = typed ? meant(typed) : [known[0]];
      const isSure = !typed || found.length === 1 || (found.length > 1 && rank(found[0], fold(typed)) === 0);
      if (isSure && (typed || !known[0].id)) take(found[0]);
      else draw();
    };
    const mirror = () => {
      input.classList.toggle('is-invalid', select.classList.contains('is-invalid'));
      ['aria-describedby', 'aria-required', 'aria-invalid'].forEach((word) => {
        if (select.hasAttribute(word)) input.setAttribute(word, select.getAttribute(word));
        else input.removeAttribute(word);
      });
    };
    Array.from(select.labels).forEach((label) => { label.htmlFor = input.id; });
    select.before(box);
    box.append(input, select);
    select.classList.add('visually-hidden');
    select.tabIndex = -1;
    select.setAttribute('aria-hidden', 'true');
    if (!known[0].id) input.placeholder = known[0].label;
    mirror();
    draw();
    new MutationObserver(mirror).observe(select, { attributes: true });
    combobox(box, input, { find, take, isWhole: true });
    ['input', 'change'].forEach((kind) => input.addEventListener(kind, (event) => event.stopPropagation())); // it is nothing that the form posts
    input.addEventListener('blur', settle);
    select.addEventListener('focus', () => input.focus());
    ['change', 'soil'].forEach((kind) => select.addEventListener(kind, draw));
    window.addEventListener('pageshow', draw); // after the browser has put back what it remembers
  }

  // --- search over everything: a dialog whose list follows what is typed. What is typed is posted, never part of an address
  const finder = one('#find');
  if (finder) {
    const input = one('#find-what'), list = one('#find-list'), said = one('#find-says'), opener = one('[data-find]');
    const hint = said.textContent;
    let timer, asked = 0, at = -1;
    const options = () => all('[role=option]', list);
    const mark = (to) => {
      at = to;
      options().forEach((one, i) => one.setAttribute('aria-selected', String(i === at)));
      if (at < 0) { input.removeAttribute('aria-activedescendant'); return; }
      input.setAttribute('aria-activedescendant', options()[at].id);
      options()[at].scrollIntoView({ block: 'nearest' });
    };
    const step = (by) => { if (options().length) mark((at + by + options().length) % options().length); };
    const show = (text, ...groups) => {
      list.replaceChildren(...groups);
      options().forEach((one, i) => { one.id = `find-${i}`; });
      said.textContent = text;
      input.setAttribute('aria-expanded', String(groups.length > 0));
      mark(groups.length ? 0 : -1);
    };
    const option = (url, ...inside) => make('a', { role: 'option', href: url, tabindex: -1 }, ...inside);
    const drawHit = ({ label, note, url }) => option(url, label, ' ', make('span', { class: 'note-of' }, note));
    const drawAll = ({ label, more }) => {
      const line = option(more, said.dataset.all);
      line.setAttribute('aria-label', said.dataset.all + label);
      line.className = 'all';
      return line;
    };
    const draw = (kind) => make('div', { role: 'group', 'aria-label': kind.label },
      make('p', { class: 'kind', role: 'presentation' }, kind.label), ...kind.hits.map(drawHit), ...(kind.more ? [drawAll(kind)] : []));
    const seek = async () => {
      const mine = asked += 1;
      const body = new URLSearchParams({ q: input.value.trim() });
      const headers = { Accept: 'application/json', 'X-CSRFToken': one('[name=csrf_token]', finder).value };
      try {
        const answer = await fetch('/find', { method: 'POST', body, headers, credentials: 'same-origin' });
        const { kinds, message } = await answer.json();
        if (mine === asked) show(message, ...(kinds || []).map(draw));
      } catch (trouble) {
        if (mine === asked) show(say.trouble);
      }
    };
    const open = () => {
      if (!finder.open) finder.showModal();
      input.select();
    };
    opener.addEventListener('click', (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); open(); } });
    document.addEventListener('keydown', (event) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      if (finder.open || !one('dialog[open]')) open();
    });
    input.addEventListener('input', (event) => {
      clearTimeout(timer);
      asked += 1;
      mark(-1); // what was marked was found for other words
      if (event.isComposing) return;
      if (input.value.trim()) timer = setTimeout(seek, 220);
      else show(hint);
    });
    input.addEventListener('compositionend', () => input.dispatchEvent(new Event('input')));
    input.addEventListener('keydown', (event) => {
      if (event.isComposing) return;
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        step(event.key === 'ArrowDown' ? 1 : at < 0 ? 0 : -1);
      } else if (event.key === 'Enter' && at >= 0) {
        event.preventDefault();
        options()[at].click();
      }
    });
    finder.addEventListener('click', (event) => { if (event.target === finder) finder.close(); });
    one('[data-close]', finder).addEventListener('click', () => finder.close());
    if (navigator.platform.startsWith('Mac')) one('kbd', opener).textContent = '⌘K';
  }

  // --- rows of a list chosen to be treated at once: remembered for this window and this list while pages are turned
  const bulk = one('#bulk');
  if (bulk) {
    const boxes = all('input[form=bulk][name=id]');
    const every = one('[name=every]', bulk), head = one('th [data-pick-page] input');
    const store = `picks:${bulk.dataset.picks}`;
    let isEvery = false, ids = new Set(); // chosen, or of all the list those that are not
    const recall = () => {
      const kept = JSON.parse(sessionStorage.getItem(store) || '{}');
      isEvery = Boolean(kept.isEvery && every);
      ids = new Set(kept.ids);
      if (kept.isEvery && !every) { // by now all of the list is on this page, or too many
        const shown = Number(bulk.dataset.total) ? boxes.map((box) => box.value) : [];
        ids = new Set(shown.filter((id) => !ids.has(id)));
      }
    };
    const remember = () => {
      if (isEvery || ids.size) sessionStorage.setItem(store, JSON.stringify({ isEvery, ids: [...ids] }));
      else sessionStorage.removeItem(store);
    };
    const draw = () => {
      boxes.forEach((box) => {
        box.checked = isEvery !== ids.has(box.value);
        box.closest('tr').classList.toggle('is-picked', box.checked);
      });
      const ticked = boxes.filter((box) => box.checked).length;
      const n = isEvery ? bulk.dataset.total - ids.size : ids.size;
      head.checked = ticked === boxes.length;
      head.indeterminate = ticked > 0 && !head.checked;
      if (every) every.checked = isEvery;
      bulk.elements.chosen.value = isEvery ? '' : [...ids].join();
      bulk.elements.without.value = isEvery ? [...ids].join() : '';
      bulk.hidden = n === 0;
      one('[data-count]', bulk).textContent = bulk.dataset.says.replace('{n}', n);
      return n;
    };
    const change = () => {
      remember();
      const n = draw();
      one('[data-picked]').textContent = n ? bulk.dataset.says.replace('{n}', n) : bulk.dataset.saysNone;
    };
    const tick = (box, on) => { if (isEvery !== on) ids.add(box.value); else ids.delete(box.value); };
    const tickPage = (on) => { boxes.forEach((box) => tick(box, on)); change(); };
    const begin = (all) => { isEvery = all; ids.clear(); change(); };
    boxes.forEach((box) => box.addEventListener('change', () => { tick(box, box.checked); change(); }));
    head.addEventListener('change', () => tickPage(head.checked));
    if (every) every.addEventListener('change', () => begin(every.checked));
    one('button[data-pick-page]', bulk).addEventListener('click', () => tickPage(true));
    one('[data-pick-none]', bulk).addEventListener('click', () => begin(false));
    all('[data-pick-page], [data-pick-none]').forEach((part) => { part.hidden = false; });
    window.addEventListener('pageshow', () => { recall(); draw(); }); // after the browser has put back its own ticks
  }
  const done = one('[data-done]');
  if (done) sessionStorage.removeItem(`picks:${done.dataset.done}`);

  // --- a list by keyboard: j and k or the arrows go from row to row, Enter opens, e edits, x ticks, / goes to the search
  const sheet = one('.sheet[data-open]');
  if (sheet) {
    const rows = all('tbody tr', sheet);
    const search = one('.finder input[type=search]');
    const links = rows.map((row) => one(`a[href^="${sheet.dataset.open}"]`, row));
    const isBusy = (target) => target.closest('input:not(.pick input), select, textarea, summary, button, [contenteditable]') || one('dialog[open], details.pop[open]');
    let at = -1;
    const stand = (to) => {
      at = Math.max(0, Math.min(to, rows.length - 1));
      rows.forEach((row, i) => row.classList.toggle('is-here', i === at));
      if (links[at]) links[at].focus({ preventScroll: true });
      rows[at].scrollIntoView({ block: 'nearest' });
    };
    links.forEach((link, i) => { if (link) link.addEventListener('focus', () => { at = i; }); });
    const edit = () => {
      if (links[at] && sheet.dataset.edit) location.assign(links[at].href.replace(sheet.dataset.open, sheet.dataset.edit));
    };
    const pick = () => { const box = one('.pick input', rows[at]); if (box) box.click(); };
    rows.forEach((row, i) => { const box = one('.pick input', row); if (box) box.addEventListener('focus', () => { at = i; }); });
    one('.keys', sheet).hidden = false;
    const acts = { x: pick, ' ': pick, j: () => stand(at + 1), ArrowDown: () => stand(at + 1), k: () => stand(at - 1), ArrowUp: () => stand(at - 1), e: edit, '/': () => search && search.focus() };
    document.addEventListener('keydown', (event) => {
      const act = acts[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isBusy(event.target)) return;
      if (at < 0 && /^(Arrow.*|x| )$/.test(event.key)) return; // until one stands on a row, arrows and space scroll
      if (event.key === ' ' && event.target.matches('.pick input')) return; // ticks by itself
      event.preventDefault();
      act();
    });
  }

  // --- days: typed as one likes, shown in one way; the browser's calendar is behind a button
  const iso = (year, month, day) => { // "" for a day that no calendar has
    const found = new Date(0);
    found.setUTCFullYear(year, month - 1, day);
    const text = `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
    return year > 0 && found.toISOString().startsWith(text) ? text : '';
  };
  const partsOf = (form, text) => {
    const found = new RegExp(`^(?:${form})$`, 'u').exec(text);
    return found && found.slice(1).filter((part) => part !== undefined).map(Number);
  };
  const dayIn = (form, text) => {
    const parts = partsOf(form, text.normalize('NFKC').trim());
    return parts ? iso(...parts) : '';
  };
  const retype = (input, text) => {
    if (input.value === text) return;
    input.value = text;
    input.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const dayBox = (box) => {
    const input = one('input', box);
    const button = one('.calendar', box);
    const picker = Object.assign(document.createElement('input'), { type: 'date', className: 'picker', tabIndex: -1 });
    picker.setAttribute('aria-hidden', 'true');
    button.hidden = false;
    button.addEventListener('click', () => {
      picker.value = dayIn(box.dataset.day, input.value);
      picker.showPicker();
    });
    picker.addEventListener('change', () => { retype(input, picker.value); input.focus(); });
    input.addEventListener('change', () => retype(input, dayIn(box.dataset.day, input.value) || input.value));
    box.append(picker);
  };

  // --- checks as one types: the form says them, in the server's sentences. They never stand in the way of saving
  const SPACE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+';
  const ENDS = new RegExp(`^${SPACE}|${SPACE}$`, 'gu');
  const forms = new Map(); // compiled once
  const formOf = (text, flags = 'u') => {
    const key = `${flags} ${text}`;
    if (!forms.has(key)) forms.set(key, new RegExp(text, flags));
    return forms.get(key);
  };
  const fits = (form, text) => formOf(`^(?:${form})$`).test(text);
  const isIn = (step, value) => (step.low === '' || value >= step.low) && value <= step.high;
  const birthday = (number) => iso(Number(number.slice(6, 10)), Number(number.slice(10, 12)), Number(number.slice(12, 14)));
  const checkDigit = (number) => {
    const sum = Array.from(number.slice(0, 17)).reduce((total, digit, i) => total + Number(digit) * (2 ** (17 - i) % 11), 0);
    return '10X98765432'[sum % 11];
  };
  const sexIn = (number) => (Number(number[16]) % 2 ? '1' : '2');
  const bad = (sentence) => ({ says: sentence });
  const steps = { // each gives the text to go on with, or a complaint
    nfkc: (step, text) => text.normalize('NFKC'),
    trim: (step, text) => text.replace(ENDS, ''),
    upper: (step, text) => text.toUpperCase(),
    swap: (step, text) => text.replace(formOf(step.find, 'gu'), step.put),
    nfc: (step, text) => text.replace(formOf(step.within, 'gu'), (part) => part.normalize('NFC')),
    filled: (step, text) => (text ? text : bad(step.says)),
    fits: (step, text) => (fits(step.form, text) ? text : bad(step.says)),
    lacks: (step, text) => {
      const found = formOf(step.find).exec(text);
      return found ? bad(step.says.replace('{c}', found[0])) : text;
    },
    longest: (step, text) => {
      const length = Array.from(text).length;
      return length > step.n ? bad(step.says.replace('{k}', length)) : text;
    },
    between: (step, text) => (isIn(step, typeof step.high === 'number' ? Number(text) : text) ? text : bad(step.says)),
    day: (step, text) => {
      const parts = partsOf(step.form, text);
      const day = parts && iso(...parts);
      if (day === '') return bad(step.never);
      return day && isIn(step, day) ? day : bad(step.says);
    },
    month: (step, text) => {
      const parts = partsOf(step.form, text);
      return parts ? `${parts[0]}${String(parts[1]).padStart(2, '0')}` : bad(step.says);
    },
    later: (step, text, read) => {
      const day = read(step.other);
      return day && text <= day.slice(0, 7).replace('-', '') ? bad(step.says) : text;
    },
    dated: (step, text) => {
      const day = birthday(text);
      if (!day) return bad(step.says);
      if (day > step.high) return bad(step.late);
      return day < step.low ? bad(step.early) : text;
    },
    mod11: (step, text) => (checkDigit(text) === text[17] ? text : bad(step.says)),
    agrees: (step, text, read) => {
      const number = read(step.other);
      if (!number || !fits(step.form, number)) return text;
      const day = birthday(number);
      if (!day || !isIn(step, day)) return text;
      return text === (step.part === 'day' ? day : sexIn(number)) ? text : bad(step.says);
    },
    none_of: (step, text) => (step.steps.some((inner) => steps[inner.do](inner, text).says) ? text : bad(step.says)),
  };

  const checking = (form) => {
    const known = JSON.parse(form.dataset.checks);
    const chain = (input) => (input.dataset.check || '').split(' ').filter(Boolean).map((key) => known[key]);
    const conditions = (step) => [...(step.when || []), ...(step.unless || [])];
    const looksAt = (step) => [...conditions(step).map(([name]) => name), step.other].filter(Boolean);
    const beside = (input, name) => form.elements.namedItem(input.name.slice(0, input.name.lastIndexOf('-') + 1) + name);
    const isAsIs = (input) => 'asIs' in input.dataset && input.value === input.dataset.asIs;
    const judge = (input, isAlone) => { // the tidied text, or a complaint; null where it cannot be known
      if (!input || isAsIs(input)) return { text: null };
      const read = (name) => judge(beside(input, name), true).text;
      let text = steps.trim(null, input.value);
      const holds = ([name, form_, wanted]) => {
        const other = name ? read(name) : text;
        return other === null ? null : fits(form_, other) === wanted;
      };
      for (const step of chain(input)) {
        if (isAlone && looksAt(step).length) continue;
        if (!text && !step.empty) continue;
        const when = (step.when || []).map(holds), unless = (step.unless || []).map(holds);
        if ([...when, ...unless].includes(null) || when.includes(false) || (step.unless && !unless.includes(false))) continue;
        const result = steps[step.do](step, text, read);
        if (result.says) return { text: null, says: result.says };
        text = result;
      }
      return { text };
    };

    const touched = new WeakSet();
    const fromServer = new WeakMap(); // what was typed when the server complained
    const errorOf = (input) => one('.error', input.closest('.field'));
    const said = document.createElement('p');
    said.className = 'visually-hidden';
    said.setAttribute('role', 'status');
    form.append(said);
    const describe = (input, id, isOn) => {
      const ids = (input.getAttribute('aria-describedby') || '').split(' ').filter((other) => other && other !== id);
      if (isOn) ids.unshift(id);
      if (ids.length) input.setAttribute('aria-describedby', ids.join(' '));
      else input.removeAttribute('aria-describedby');
    };
    const show = (input, sentence) => {
      const field = input.closest('.field');
      let place = errorOf(input);
      if (!place && !sentence) return;
      if (!place) {
        place = document.createElement('p');
        place.className = 'error';
        place.id = `${input.id}-err`;
        (input.closest('.day-box, .lookup') || input).after(place);
      }
      if (sentence && place.textContent !== sentence) said.textContent = `${one('.form-label', field).textContent}：${sentence}`;
      if (sentence) place.replaceChildren(Object.assign(document.createElement('span'), { textContent: sentence }));
      else place.remove();
      field.classList.toggle('has-error', Boolean(sentence));
      input.classList.toggle('is-invalid', Boolean(sentence));
      if (sentence) input.setAttribute('aria-invalid', 'true');
      else input.removeAttribute('aria-invalid');
      describe(input, place.id, Boolean(sentence));
    };
    const review = (input, isOwn) => {
      const { says } = judge(input);
      if (!says && isOwn && fromServer.get(input) === input.value) return; // what only the server knows stands
      show(input, says);
    };
    const reviewAll = (input) => {
      review(input, true);
      const name = input.name.slice(input.name.lastIndexOf('-') + 1);
      all('[data-check]', form).filter((other) => other !== input && touched.has(other) && beside(input, other.name.slice(other.name.lastIndexOf('-') + 1)) === other)
        .filter((other) => chain(other).some((step) => looksAt(step).includes(name)))
        .forEach((other) => review(other, false));
    };
    all('[data-check][aria-invalid]', form).forEach((input) => { touched.add(input); fromServer.set(input, input.value); });
    const isChecked = (input) => input.dataset && input.dataset.check !== undefined;
    form.addEventListener('input', ({ target }) => {
      if (!isChecked(target)) return;
      touched.add(target);
      if (target.hasAttribute('aria-invalid')) reviewAll(target);
    });
    ['change', 'focusout'].forEach((name) => form.addEventListener(name, ({ target }) => {
      if (isChecked(target) && touched.has(target)) reviewAll(target);
    }));
  };

  // --- the columns of a list: moved by buttons or dragged; what is ticked comes behind what is ticked already
  all('[data-columns]').forEach((list) => {
    const items = () => all('[data-column]', list);
    const box = (item) => one('input[type=checkbox]', item);
    const said = one('[data-moved]', list.parentNode);
    let dragged = null;
    const number = () => items().forEach((item, i) => { one('.at', item).value = i + 1; });
    const settle = (item) => {
      number();
      item.dispatchEvent(new Event('change', { bubbles: true }));
      said.textContent = list.dataset.says.replace('{name}', one('.what span', item).textContent).replace('{n}', items().indexOf(item) + 1);
    };
    const move = (item, by, button) => {
      const beside = by < 0 ? item.previousElementSibling : item.nextElementSibling;
      if (!beside) return;
      if (by < 0) beside.before(item);
      else beside.after(item);
      button.focus(); // which a move in the page takes away
      settle(item);
    };
    const rank = (item) => {
      const others = items().filter((other) => other !== item && box(other).checked);
      if (others.length) others[others.length - 1].after(item);
      else list.prepend(item);
      box(item).focus();
      settle(item);
    };
    items().forEach((item) => {
      one('.at', item).type = 'hidden';
      one('.moves', item).hidden = false;
      item.draggable = true;
      all('[data-move]', item).forEach((button) => button.addEventListener('click', () => move(item, Number(button.dataset.move), button)));
      box(item).addEventListener('click', () => { if (box(item).checked) rank(item); });
      item.addEventListener('dragstart', () => { dragged = item; item.classList.add('is-dragged'); });
      item.addEventListener('dragend', () => { item.classList.remove('is-dragged'); settle(item); dragged = null; });
      item.addEventListener('dragover', (event) => {
        if (!dragged || dragged === item) return;
        event.preventDefault();
        const { top, height } = item.getBoundingClientRect();
        if (event.clientY < top + height / 2) item.before(dragged);
        else item.after(dragged);
      });
    });
    number();
  });

  all('[data-lookup]').forEach(lookup);
  all('select[data-spelled]').forEach(findable);
  all('.day-box').forEach(dayBox);
  all('form[data-checks]').forEach(checking);
  all('[data-inline]').forEach((table) => {
    all('[data-rows] > [data-row]', table).forEach((row) => prepareRow(table, row));
    const add = one('[data-add]', table);
    add.hidden = false;
    add.addEventListener('click', () => addRow(table));
  });
})();
