import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** `npm run sample:music [file]`: a small music database, to try `ask_database` on. */

/** Artist (country); below, albums (year, genre) with their tracks and how long these last, in seconds. */
const music = `
The Beatles (United Kingdom)
  Revolver (1966, Rock): Taxman 159; Eleanor Rigby 126; Here, There and Everywhere 145; Tomorrow Never Knows 178
  Abbey Road (1969, Rock): Come Together 259; Something 182; Here Comes the Sun 185; Because 165
Miles Davis (United States)
  Kind of Blue (1959, Jazz): So What 562; Freddie Freeloader 586; Blue in Green 337; All Blues 693; Flamenco Sketches 566
  Bitches Brew (1970, Jazz): Spanish Key 1054; Miles Runs the Voodoo Down 844
Nina Simone (United States)
  Pastel Blues (1965, Blues): Be My Husband 202; Strange Fruit 210; Sinnerman 622
  I Put a Spell on You (1965, Jazz): I Put a Spell on You 155; Feeling Good 173
Aretha Franklin (United States)
  I Never Loved a Man the Way I Love You (1967, Soul): Respect 149; Do Right Woman, Do Right Man 196
  Lady Soul (1968, Soul): Chain of Fools 168; A Natural Woman 166
Kraftwerk (Germany)
  Autobahn (1974, Electronic): Autobahn 1362; Kometenmelodie 1 386
  Trans-Europe Express (1977, Electronic): Europe Endless 580; The Hall of Mirrors 476; Trans-Europe Express 397
Fela Kuti (Nigeria)
  Zombie (1976, Afrobeat): Zombie 746; Mister Follow Follow 778
Björk (Iceland)
  Homogenic (1997, Electronic): Hunter 255; Jóga 305; Bachelorette 312
  Vespertine (2001, Electronic): Hidden Place 328; Pagan Poetry 314
Buena Vista Social Club (Cuba)
  Buena Vista Social Club (1997, Son): Chan Chan 256; De Camino a la Vereda 303; Candela 327
Joni Mitchell (Canada)
  Blue (1971, Folk): All I Want 214; Carey 182; A Case of You 262; River 244
Bob Marley and the Wailers (Jamaica)
  Exodus (1977, Reggae): Exodus 460; Jamming 211; Three Little Birds 180; One Love 172
`;

const tables = `
  CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL, country TEXT NOT NULL);
  CREATE TABLE albums (
    id INTEGER PRIMARY KEY,
    artist_id INTEGER NOT NULL REFERENCES artists (id),
    title TEXT NOT NULL,
    year INTEGER NOT NULL,
    genre TEXT NOT NULL
  );
  CREATE TABLE tracks (
    id INTEGER PRIMARY KEY,
    album_id INTEGER NOT NULL REFERENCES albums (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    seconds INTEGER NOT NULL
  );
`;

function fill(db: DatabaseSync): void {
  const addArtist = db.prepare('INSERT INTO artists (name, country) VALUES (?, ?)');
  const addAlbum = db.prepare('INSERT INTO albums (artist_id, title, year, genre) VALUES (?, ?, ?, ?)');
  const addTrack = db.prepare('INSERT INTO tracks (album_id, position, name, seconds) VALUES (?, ?, ?, ?)');
  let artist: number | bigint = 0;
  for (const line of music.trim().split('\n')) {
    const [, title = '', year = '', genre = '', tracks = ''] = /^ {2}(.+) \((\d+), (\w+)\): (.+)$/.exec(line) ?? [];
    if (title === '') {
      const [, name = '', country = ''] = /^([^(]+) \(([^)]+)\)$/.exec(line) ?? [];
      artist = addArtist.run(name, country).lastInsertRowid;
      continue;
    }
    const album = addAlbum.run(artist, title, Number(year), genre).lastInsertRowid;
    for (const [index, track] of tracks.split('; ').entries()) {
      const end = track.lastIndexOf(' ');
      addTrack.run(album, index + 1, track.slice(0, end), Number(track.slice(end)));
    }
  }
}

function make(file: string): string {
  if (existsSync(file)) return `${file} is there already; nothing was changed.`;
  mkdirSync(dirname(file), { recursive: true });
  using db = new DatabaseSync(file);
  db.exec(`BEGIN; ${tables}`);
  fill(db);
  db.exec('COMMIT');
  const counts = db.prepare(
    'SELECT (SELECT count(*) FROM artists) AS artists, (SELECT count(*) FROM tracks) AS tracks',
  );
  const { artists, tracks } = counts.get() ?? {};
  return `${file}: ${Number(artists)} artists, ${Number(tracks)} tracks.`;
}

const file = process.argv[2] ?? './data/music.db';
process.stdout.write(
  `${make(file)}\nTo ask it, set SQL_TOOL_FILE=${file} and TOOLS=ask_database, and ask: Which artist has the most tracks?\n`,
);
