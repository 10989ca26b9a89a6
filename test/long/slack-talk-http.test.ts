import { describeTalk } from '../journeys/slack-talk.ts';

await describeTalk('http');
