/** Imports what it is told to, says so, and does nothing. */

const [names = '[]'] = process.argv.slice(2);
for (const name of JSON.parse(names)) await import(name);
process.stdout.write(`${JSON.stringify({ type: 'accepted', id: 'imports' })}\n`);
process.stdin.resume();
