DROP TABLE break_glasses;
