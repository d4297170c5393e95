DROP TABLE mandates;
