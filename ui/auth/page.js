// A sign-in that has ended, here or at another page, leads back to the page to sign in on, and what was shown goes.
(() => {
  const ask = window.fetch;
  window.fetch = async (...asked) => {
    const answer = await ask(...asked);
    if (answer.status === 401 && (answer.headers.get('www-authenticate') || '').startsWith('Session')) location.reload();
    return answer;
  };
  const look = () => { if (!document.hidden) window.fetch('./signed-in', { cache: 'no-store' }).catch(() => {}); };
  document.addEventListener('visibilitychange', look);
  window.addEventListener('pageshow', (event) => { if (event.persisted) look(); });
})();
