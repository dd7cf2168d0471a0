CREATE DATABASE  IF NOT EXISTS `orchestra` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci */ /*!80016 DEFAULT ENCRYPTION='N' */;
USE `orchestra`;
-- MySQL dump 10.13  Distrib 8.0.30, for macos12 (x86_64)
--
-- Host: localhost    Database: orchestra
-- ------------------------------------------------------
-- Server version	8.0.32

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!50503 SET NAMES utf8 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table `conductor`
--

DROP TABLE IF EXISTS `conductor`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `conductor` (
  `Conductor_ID` int NOT NULL AUTO_INCREMENT,
  `Name` text COLLATE utf8mb4_general_ci,
  `Age` int DEFAULT NULL,
  `Nationality` text COLLATE utf8mb4_general_ci,
  `Year_of_Work` int DEFAULT NULL,
  PRIMARY KEY (`Conductor_ID`)
) ENGINE=InnoDB AUTO_INCREMENT=13 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `conductor`
--

LOCK TABLES `conductor` WRITE;
/*!40000 ALTER TABLE `conductor` DISABLE KEYS */;
INSERT INTO `conductor` VALUES (1,'Antal Doráti',40,'USA',10),(2,'Igor Stravinsky',41,'UK',11),(3,'Colin Davis',42,'USA',6),(4,'Paul Jorgensen',43,'UK',11),(5,'Antal Brown',43,'USA',20),(6,'Charles Dutoit',43,'France',12),(7,'Gerard Schwarz',50,'USA',20),(8,'Pierre Boulez',49,'UK',11),(9,'Valeri Gergiev',47,'USA',16),(10,'Robert Craft',63,'UK',21),(11,'Seiji Ozawa',43,'USA',10),(12,'Michael Tilson Thomas',42,'France',12);
/*!40000 ALTER TABLE `conductor` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `orchestra`
--

DROP TABLE IF EXISTS `orchestra`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `orchestra` (
  `Orchestra_ID` int NOT NULL AUTO_INCREMENT,
  `Orchestra` text COLLATE utf8mb4_general_ci,
  `Conductor_ID` int DEFAULT NULL,
  `Record_Company` text COLLATE utf8mb4_general_ci,
  `Year_of_Founded` double DEFAULT NULL,
  `Major_Record_Format` text COLLATE utf8mb4_general_ci,
  PRIMARY KEY (`Orchestra_ID`),
  KEY `orchestra_FK_0_0` (`Conductor_ID`),
  CONSTRAINT `orchestra_FK_0_0` FOREIGN KEY (`Conductor_ID`) REFERENCES `conductor` (`Conductor_ID`)
) ENGINE=InnoDB AUTO_INCREMENT=13 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `orchestra`
--

LOCK TABLES `orchestra` WRITE;
/*!40000 ALTER TABLE `orchestra` DISABLE KEYS */;
INSERT INTO `orchestra` VALUES (1,'London Symphony Orchestra',1,'Mercury Records',2003,'CD'),(2,'Columbia Symphony Orchestra',2,'Columbia Masterworks',2009,'CD / LP'),(3,'Royal Concertgebouw Orchestra',3,'Philips',2008,'CD'),(4,'Royal Danish Orchestra',4,'Kultur',2002,'DVD'),(5,'Detroit Symphony Orchestra',5,'Decca Records',2002,'CD'),(6,'Montreal Symphony Orchestra',6,'Decca Records',2004,'CD'),(7,'Seattle Symphony Orchestra',7,'Delos Records',2002,'CD'),(8,'Chicago Symphony Orchestra',8,'Deutsche Grammophon',2003,'CD'),(9,'Kirov Orchestra',9,'Philips Classics Records',2008,'CD'),(10,'Philharmonia Orchestra',10,'Koch Records / Naxos Records',2006,'CD'),(11,'Orchestre de Paris',11,'EMI',2007,'CD'),(12,'San Francisco Symphony Orchestra',12,'RCA',2008,'CD');
/*!40000 ALTER TABLE `orchestra` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `performance`
--

DROP TABLE IF EXISTS `performance`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `performance` (
  `Performance_ID` int NOT NULL AUTO_INCREMENT,
  `Orchestra_ID` int DEFAULT NULL,
  `Type` text COLLATE utf8mb4_general_ci,
  `Date` text COLLATE utf8mb4_general_ci,
  `Official_ratings_(millions)` double DEFAULT NULL,
  `Weekly_rank` text COLLATE utf8mb4_general_ci,
  `Share` text COLLATE utf8mb4_general_ci,
  PRIMARY KEY (`Performance_ID`),
  KEY `performance_FK_0_0` (`Orchestra_ID`),
  CONSTRAINT `performance_FK_0_0` FOREIGN KEY (`Orchestra_ID`) REFERENCES `orchestra` (`Orchestra_ID`)
) ENGINE=InnoDB AUTO_INCREMENT=12 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `performance`
--

LOCK TABLES `performance` WRITE;
/*!40000 ALTER TABLE `performance` DISABLE KEYS */;
INSERT INTO `performance` VALUES (1,1,'Auditions 1','9 June',5.2,'12','22.7%'),(2,2,'Auditions 2','10 June',6.73,'8','28.0%'),(3,3,'Auditions 3','11 June',7.28,'15','29.4%'),(4,4,'Auditions 4','12 June',7.39,'13','29.3%'),(5,5,'Auditions 5','13 June',7.51,'11','29.2%'),(6,6,'Semi-final 2','15 June',9.28,'8','38.1%'),(7,7,'Semi-final 3','16 June',9.29,'7','40.9%'),(8,8,'Live final','17 June',11.58,'1','43.7%'),(9,9,'Live final results','17 June',11.45,'2','44.7%'),(10,10,'Series average','2007',8.38,'TBC','34%'),(11,11,'Semi-final 1','14 June',8.36,'9','34.0%');
/*!40000 ALTER TABLE `performance` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `show`
--

DROP TABLE IF EXISTS `show`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `show` (
  `Show_ID` int DEFAULT NULL,
  `Performance_ID` int DEFAULT NULL,
  `If_first_show` varchar(255) COLLATE utf8mb4_general_ci DEFAULT NULL,
  `Result` text COLLATE utf8mb4_general_ci,
  `Attendance` double DEFAULT NULL,
  KEY `show_FK_0_0` (`Performance_ID`),
  CONSTRAINT `show_FK_0_0` FOREIGN KEY (`Performance_ID`) REFERENCES `performance` (`Performance_ID`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `show`
--

LOCK TABLES `show` WRITE;
/*!40000 ALTER TABLE `show` DISABLE KEYS */;
INSERT INTO `show` VALUES (1,1,'Glebe Park','T',1026),(2,2,'Fir Park','T',695),(3,3,'St. Mirren Park','F',555),(4,4,'St. Mirren Park','F',1925),(5,5,'Hampden Park','T',2431);
/*!40000 ALTER TABLE `show` ENABLE KEYS */;
UNLOCK TABLES;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2023-04-28  7:04:13
CREATE DATABASE  IF NOT EXISTS `poker_player` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci */ /*!80016 DEFAULT ENCRYPTION='N' */;
USE `poker_player`;
-- MySQL dump 10.13  Distrib 8.0.30, for macos12 (x86_64)
--
-- Host: localhost    Database: poker_player
-- ------------------------------------------------------
-- Server version	8.0.32

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET @OLD_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS */;
/*!40101 SET @OLD_COLLATION_CONNECTION=@@COLLATION_CONNECTION */;
/*!50503 SET NAMES utf8 */;
/*!40103 SET @OLD_TIME_ZONE=@@TIME_ZONE */;
/*!40103 SET TIME_ZONE='+00:00' */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40111 SET @OLD_SQL_NOTES=@@SQL_NOTES, SQL_NOTES=0 */;

--
-- Table structure for table `people`
--

DROP TABLE IF EXISTS `people`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `people` (
  `People_ID` int NOT NULL AUTO_INCREMENT,
  `Nationality` text COLLATE utf8mb4_general_ci,
  `Name` text COLLATE utf8mb4_general_ci,
  `Birth_Date` text COLLATE utf8mb4_general_ci,
  `Height` double DEFAULT NULL,
  PRIMARY KEY (`People_ID`)
) ENGINE=InnoDB AUTO_INCREMENT=8 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `people`
--

LOCK TABLES `people` WRITE;
/*!40000 ALTER TABLE `people` DISABLE KEYS */;
INSERT INTO `people` VALUES (1,'Russia','Aleksey Ostapenko','May 26, 1986',207),(2,'Bulgaria','Teodor Salparov','August 16, 1982',182),(3,'Russia','Roman Bragin','April 17, 1987',187),(4,'Russia','Sergey Grankin','January 22, 1987',193),(5,'Russia','Yevgeni Sivozhelez','August 8, 1986',196),(6,'Russia','Maksim Botin','July 14, 1983',194),(7,'Russia','Semen Poltavskiy','February 8, 1981',205);
/*!40000 ALTER TABLE `people` ENABLE KEYS */;
UNLOCK TABLES;

--
-- Table structure for table `poker_player`
--

DROP TABLE IF EXISTS `poker_player`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!50503 SET character_set_client = utf8mb4 */;
CREATE TABLE `poker_player` (
  `Poker_Player_ID` int NOT NULL AUTO_INCREMENT,
  `People_ID` int DEFAULT NULL,
  `Final_Table_Made` double DEFAULT NULL,
  `Best_Finish` double DEFAULT NULL,
  `Money_Rank` double DEFAULT NULL,
  `Earnings` double DEFAULT NULL,
  PRIMARY KEY (`Poker_Player_ID`),
  KEY `poker_player_FK_0_0` (`People_ID`),
  CONSTRAINT `poker_player_FK_0_0` FOREIGN KEY (`People_ID`) REFERENCES `people` (`People_ID`)
) ENGINE=InnoDB AUTO_INCREMENT=6 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `poker_player`
--

LOCK TABLES `poker_player` WRITE;
/*!40000 ALTER TABLE `poker_player` DISABLE KEYS */;
INSERT INTO `poker_player` VALUES (1,1,42,1,68,476090),(2,2,10,2,141,189233),(3,5,21,1,166,104871),(4,6,19,2,58,596462),(5,7,26,3,154,142800);
/*!40000 ALTER TABLE `poker_player` ENABLE KEYS */;
UNLOCK TABLES;
/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;

/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;
/*!40101 SET CHARACTER_SET_RESULTS=@OLD_CHARACTER_SET_RESULTS */;
/*!40101 SET COLLATION_CONNECTION=@OLD_COLLATION_CONNECTION */;
/*!40111 SET SQL_NOTES=@OLD_SQL_NOTES */;

-- Dump completed on 2023-04-28  7:04:14
