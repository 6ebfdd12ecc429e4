// Runs in each page, by itself: nothing is attached to the browser while it measures.

/** Runs the part that the query names, and reports what it gives, or how it failed. */
export async function runPart(parts) {
  const query = new URLSearchParams(location.search);
  const page = Number(query.get('page'));
  const report = { part: query.get('part'), page };
  const send = globalThis.fetch;
  try {
    Object.assign(report, await parts[report.part]());
  } catch (error) {
    report.error = `${error?.stack ?? error}`;
  }
  await send('/report', { method: 'POST', body: JSON.stringify(report) });

  if (page === Number(query.get('pages'))) return;
  query.set('page', page + 1);
  location.replace(`?${query}`);
}
