// One listener for all buttons of a part of the page: their place stays while what is in it is drawn again.
// What is quick asks by "click"; what the model answers asks by "submit". A new list comes into view.
const quick = new Set(['react', 'undo', 'edit', 'remove', 'add', 'export', 'forget', 'close', 'language']);
const open = new Set();
let part = '';
const ask = (wish) => trigger(quick.has(wish.do) ? 'click' : 'submit', wish);

const speak = () => {
  const { language } = element.querySelector('[data-language]')?.dataset || {};
  if (language) document.documentElement.lang = language;
};

speak();
watch('value', () => {
  speak();
  element.querySelectorAll('details[data-keep]').forEach((one) => { one.open = open.has(one.dataset.keep); });
  const shown = element.querySelector('[data-part]')?.dataset.part || '';
  if (shown && shown !== part) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    setTimeout(() => element.scrollIntoView({ block: 'start', behavior: calm ? 'auto' : 'smooth' }), 50);
  }
  part = shown;
});
element.addEventListener('toggle', ({ target }) => {
  if (target.dataset.keep) open[target.open ? 'add' : 'delete'](target.dataset.keep);
}, true);
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-do]');
  if (!button) return;
  const wish = { ...button.dataset };
  if (wish.do === 'language') document.cookie = 'vouchrec-language=' + wish.value + '; max-age=31536000; samesite=lax';
  if (wish.do === 'add') wish.text = element.querySelector('textarea').value;
  ask(wish);
  if (wish.do === 'edit') document.querySelector('#vr-box textarea')?.focus({ preventScroll: true });
  if (['drop', 'retry', 'say', 'undo'].includes(wish.do)) element.querySelector('[role=status]')?.focus({ preventScroll: true });
});
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
watch('given', () => {
  if (!props.given) return;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([props.given], { type: 'application/json' }));
  link.download = 'vouchrec-about-me.json';
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
