import { describeTalk } from './slack-talk.ts';

await describeTalk('http');
