// A fixed English text. It was written for these tests and is in no training set.
export const STORY = `Once upon a time, in a village by the river, there lived a girl called Amina and her grandmother. Every morning they walked down \
to the water with two clay pots on their heads. "Do not run," said the grandmother, "for a pot that falls cannot be mended."

One day a little brown goat came out of the tall grass. It was thin, and it had lost its mother. Amina put down her pot and gave the goat some \
water to drink. "May we keep it?" she asked. The old woman smiled. "We may feed it today," she said, "and tomorrow we will ask in the market whose \
goat it is."

But in the night there was a great storm. The wind shook the roof, the rain beat upon the door, and the river began to rise. The little goat stood up \
and cried so loudly that everyone in the house awoke. Amina looked out and saw the water shining between the trees. "Grandmother, the river is \
coming!" she shouted. They took the goat and a blanket, and they climbed the hill behind the village, knocking at every door as they went by.

When the sun came up, all the people were sitting safely on the hill. The king of that country heard of it, and he sent three men with a bag of gold. \
"Give it to the goat," said Amina, and they all laughed together. Then they went home, and built the houses again, a little higher than before.
`;
