import { imagesTest } from '../journeys/images.ts';

imagesTest(24, 400);
