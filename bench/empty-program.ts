/** Imports what it is told to, says so, imports what comes later, and does nothing. */

const { first, later }: { first: string[]; later: string[] } = JSON.parse(process.argv[2] ?? '');
for (const name of first) await import(name);
process.stdout.write(`${JSON.stringify({ type: 'accepted', id: 'imports' })}\n`);
process.stdin.resume();
for (const name of later) await import(name);
