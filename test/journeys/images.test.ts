import { imagesTest } from './images.ts';

imagesTest(4, 400);
