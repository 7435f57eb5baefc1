// One listener for all buttons of a part of the page: their place stays while what is in it is drawn again.
// What is quick asks by "click"; what the model answers asks by "submit". A new list comes into view.
const quick = new Set(['react', 'undo', 'edit', 'remove', 'add', 'export', 'forget', 'close', 'language',
  'open', 'rename', 'delete', 'share', 'unshare', 'sway']);
const open = new Set();
let part = '';
const focus = (what) => element.querySelector(what)?.focus({ preventScroll: true });
const ask = (wish) => trigger(quick.has(wish.do) ? 'click' : 'submit', wish);

const speak = () => {
  const { language } = element.querySelector('[data-language]')?.dataset || {};
  if (language) document.documentElement.lang = language;
};

speak();
watch('value', () => {
  speak();
  element.querySelectorAll('details[data-keep]').forEach((one) => { one.open = open.has(one.dataset.keep); });
  const me = document.querySelector('#vr-me');
  if (element.closest('#vr-known')) me?.setAttribute('aria-expanded', String(Boolean(element.querySelector('section'))));
  const shown = element.querySelector('[data-part]')?.dataset.part || '';
  if (shown && shown !== part) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    setTimeout(() => {
      element.scrollIntoView({ block: 'start', behavior: calm ? 'auto' : 'smooth' });
      if (document.activeElement === document.body) focus('.vr-status'); // it was on a button that has gone
    }, 50);
  }
  part = shown;
});
element.addEventListener('toggle', ({ target }) => {
  if (target.dataset.keep) open[target.open ? 'add' : 'delete'](target.dataset.keep);
}, true);
element.addEventListener('click', async (event) => {
  const button = event.target.closest('button[data-do]');
  if (!button) return;
  const wish = { ...button.dataset };
  if (wish.do === 'language') document.cookie = 'vouchrec-language=' + wish.value + '; max-age=31536000; samesite=lax';
  if (wish.do === 'copy') {
    const link = element.querySelector('a');
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(link.href);
      button.textContent = wish.said;
    } else { // over plain HTTP from another machine: whoever reads it copies it
      link.textContent = link.href;
      getSelection().selectAllChildren(link);
    }
    return;
  }
  button.closest('[data-form]')?.querySelectorAll('[name]').forEach((field) => {
    wish[field.name] = field.type === 'checkbox' ? String(field.checked) : field.value;
  });
  if (wish.do === 'add') wish.text = element.querySelector('textarea').value;
  ask(wish);
  if (wish.do === 'edit') document.querySelector('#vr-box textarea')?.focus({ preventScroll: true });
  if (['drop', 'retry', 'say', 'undo'].includes(wish.do)) focus('.vr-status');
  if (wish.do === 'remove') focus('section');
});
// Escape closes what was opened, the innermost first, and the focus goes back to what opened it.
const close = (event) => {
  const inside = element.contains(event.target);
  const one = inside && event.target.closest('details[open]');
  const me = document.querySelector('#vr-me');
  if (event.key !== 'Escape' || event.isComposing) return;
  if (one) {
    one.open = false;
    one.querySelector('summary').focus();
  } else if (element.querySelector('section') && (inside || event.target.closest('#vr-me'))) {
    me.click();
    me.focus();
  }
};
document.addEventListener('keydown', close);
element.addEventListener('change', async (event) => {
  const { dataset, value, files } = event.target;
  if (dataset.do === 'file' && files[0]) element.querySelector('textarea').value = await files[0].slice(0, 250000).text();
  else if (dataset.do === 'habit' || dataset.do === 'n') ask({ do: dataset.do, value });
});
let typing;
element.addEventListener('input', ({ target }) => {
  if (target.dataset.do !== 'search') return;
  clearTimeout(typing);
  typing = setTimeout(() => trigger('input', { do: 'search', value: target.value }), 200);
});
watch('times', () => { // not what is given, which may be the same again
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([props.given], { type: 'application/json' }));
  link.download = 'vouchrec-about-me.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
